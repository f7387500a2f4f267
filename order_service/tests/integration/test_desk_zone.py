"""The shop's time zone at the desk: days, charts and pages. The API keeps to UTC."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from axes.models import AccessAttempt

from libs.values.time_zone import read_time_zone
from order_service.desk.orders.periods import Period, drill_down
from order_service.domain.order_id import new_id
from order_service.queries import figures
from order_service.store import sales
from order_service.store.models import Order

pytestmark = pytest.mark.django_db

BERLIN = read_time_zone("Europe/Berlin")
LIST = "/admin/orders/order/"


@pytest.fixture
def berlin(settings, monkeypatch):
    """A shop in Berlin on 30 March 2026, the day after the clocks went forward."""
    settings.SHOP_TIME_ZONE = BERLIN
    moment = datetime(2026, 3, 30, 10, tzinfo=UTC)
    for module in ("order_service.queries.figures", "order_service.desk.orders.filters"):
        monkeypatch.setattr(f"{module}.now", lambda: moment)


@pytest.fixture
def place_at(place, make_caller):
    """An order that was placed at a moment."""

    def make(moment):
        row = Order.objects.get(pk=place(make_caller()))
        fields = {field.attname: getattr(row, field.attname) for field in Order._meta.fields}
        order = Order.objects.create(**fields | {"id": new_id(moment), "created_at": moment, "updated_at": moment})
        row.lines.update(order=order)
        row.delete()
        return order.id

    return make


def test_a_day_is_one_of_the_shop(berlin, sit_down, place_at):
    before = place_at(datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC))
    inside = [place_at(datetime(2026, 3, *at, tzinfo=UTC)) for at in ((28, 23, 0), (29, 21, 59))]
    after = place_at(datetime(2026, 3, 29, 22, tzinfo=UTC))
    page = sit_down("viewer").get(f"{LIST}?placed=2026-03-29").content.decode()
    assert [order in page for order in (before, *inside, after)] == [False, True, True, False]


def test_today_and_the_months_are_those_of_the_shop(berlin, sit_down, place_at):
    place_at(datetime(2026, 2, 28, 23, 30, tzinfo=UTC))  # in Berlin the first of March
    page = sit_down("viewer").get(LIST).content.decode()
    assert re.search(r'placed=2026-03-30"[^>]*>\s*Today', page)
    links = drill_down(Period.parse("2026", BERLIN), BERLIN)
    assert links.children[0].value == "2026-03"


def test_a_day_without_a_midnight_begins_after_it():
    santiago = read_time_zone("America/Santiago")
    day = Period.parse("2026-09-06", santiago)
    assert day.start.timestamp() == datetime(2026, 9, 6, 4, tzinfo=UTC).timestamp()
    assert day.end.timestamp() == datetime(2026, 9, 7, 3, tzinfo=UTC).timestamp()


def test_the_charts_count_days_of_the_shop(berlin, place_at):
    for at in ((28, 22, 59), (28, 23, 0), (29, 21, 59), (29, 22, 0), (29, 22, 1)):
        place_at(datetime(2026, 3, *at, tzinfo=UTC))
    while sales.count_changes(datetime(2026, 3, 30, 10, tzinfo=UTC)) >= sales.MAX_PERIODS:
        pass
    days = {day.date: (day.orders, day.revenue) for day in figures.sales(BERLIN).days}
    assert len(days) == 30
    assert list(days)[-1] == date(2026, 3, 30)
    price = Decimal("19.90")
    assert [days[date(2026, 3, day)] for day in (28, 29, 30)] == [(1, price), (2, 2 * price), (2, 2 * price)]


def test_each_page_says_its_zone(berlin, sit_down, desk, place_at):
    order = place_at(datetime(2026, 3, 29, 22, 30, tzinfo=UTC))
    AccessAttempt.objects.create(
        username="x", attempt_time=datetime(2026, 3, 29, 22, 30, tzinfo=UTC), failures_since_start=1
    )
    viewer = sit_down("viewer")
    for browser, path in (
        (viewer, "/admin/"),
        (viewer, LIST),
        (viewer, f"{LIST}{order}/change/"),
        (viewer, "/admin/orders/outbox/"),
        (desk, "/admin/axes/accessattempt/"),
        (desk, "/admin/auth/user/"),
    ):
        assert "Days and times on this page: Europe/Berlin" in browser.get(path).content.decode(), path
    assert "30 Mar 2026, 00:30" in viewer.get(LIST).content.decode()
    assert "Placed (Europe/Berlin)" in viewer.get(LIST).content.decode()
    page = viewer.get(f"{LIST}{order}/change/").content.decode()
    assert "30 March 2026, 00:30 (Europe/Berlin)" in page


def test_the_api_and_its_pages_keep_to_utc(berlin, sit_down, place_at):
    order = place_at(datetime(2026, 3, 29, 22, 30, tzinfo=UTC))
    viewer = sit_down("viewer")
    assert (
        viewer.get(f"/orders/{order}", headers={"accept": "application/json"})
        .json()["createdAt"]
        .endswith("T22:30:00.000Z")
    )
    assert "2026-03-29 22:30 UTC" in viewer.get(f"/orders/{order}").content.decode()
