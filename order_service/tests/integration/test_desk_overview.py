"""The desk's first page."""

import re
import time
from datetime import timedelta
from decimal import Decimal

import pytest

from libs.values.times import now
from order_service.desk.operations import service_status
from order_service.desk.remote import low_stock
from order_service.desk.remote.client import RemoteUnavailable
from order_service.domain.order_id import new_id
from order_service.queries import figures
from order_service.store import sales as stored
from order_service.store.models import CatalogueState, Order, Outbox, SalesPeriod, WorkerState

pytestmark = pytest.mark.django_db


def make(status="delivered", total="10.00", currency="USD", **ago):
    moment = now() - timedelta(**ago)
    columns = {"status": status, "total": total, "currency": currency, "created_at": moment, "updated_at": moment}
    return Order.objects.create(
        id=new_id(moment), user_id="a", user_email="a@example.com", username="a", sequence=1, **columns
    )


def count(after=timedelta(minutes=2)):
    """Count all sales, as the worker does. `after`: later than the settling time."""
    while stored.count_changes(now() + after) >= stored.MAX_PERIODS:
        pass


def test_each_of_thirty_days_has_its_orders_and_what_they_brought():
    make(days=29)
    make(days=40)
    make("cancelled", days=1)
    make("pending", "2.50", days=1)
    make("shipped", "1.00", "EUR", days=1)
    count()
    sales = figures.sales()
    assert len(sales.days) == 30
    assert sales.days[0] == figures.DaySales(
        date=(now() - timedelta(days=29)).date(), orders=1, revenue=Decimal("10.00")
    )
    assert (sales.days[-2].orders, sales.days[-2].revenue) == (3, Decimal("2.50"))
    assert sales.revenue == {"USD": Decimal("12.50"), "EUR": Decimal("1.00")}
    assert sales.statuses["cancelled"] == 1


def test_a_change_moves_an_order_to_its_new_status_and_counts_it_once():
    order = make("confirmed", "10.00", days=3)
    make("confirmed", "1.00", days=3, seconds=1)
    assert figures.sales().until is None
    count()
    assert figures.sales().statuses["confirmed"] == 2
    Order.objects.filter(pk=order.pk).update(status="cancelled", updated_at=now() + timedelta(minutes=3))
    count(timedelta(minutes=6))
    count(timedelta(minutes=6))
    sales = figures.sales()
    assert (sales.statuses["confirmed"], sales.statuses["cancelled"]) == (1, 1)
    assert sales.days[-4].orders == 2
    assert sales.revenue == {"USD": Decimal("1.00")}
    assert sales.until > now()


def test_changes_of_the_settling_time_are_counted_later():
    make(seconds=20)
    count(timedelta(0))
    assert figures.sales().statuses["delivered"] == 1  # its period was counted for the first time
    make(seconds=10)
    count(timedelta(0))
    assert figures.sales().statuses["delivered"] == 1
    count(timedelta(minutes=2))
    assert figures.sales().statuses["delivered"] == 2


def test_many_changes_of_one_time_are_all_counted(monkeypatch):
    monkeypatch.setattr(stored, "MAX_CHANGES", 3)
    count()
    at = now() + timedelta(minutes=3)
    orders = [make("confirmed", days=day) for day in range(1, 8)]
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(updated_at=at)
    for _ in range(3):
        stored.count_changes(now() + timedelta(minutes=6))
    assert figures.sales().statuses["confirmed"] == 7


def test_figures_older_than_the_chart_are_deleted():
    make(days=31)
    count()
    assert SalesPeriod.objects.count() == 1
    stored.count_changes(now() + timedelta(days=10))
    assert not SalesPeriod.objects.exists()


def test_a_count_of_open_orders_ends_at_its_bound(sit_down, monkeypatch):
    for _ in range(3):
        make("confirmed", hours=1)
    monkeypatch.setattr(figures, "MAX_COUNTED", 2)
    monkeypatch.setattr("order_service.desk.templatetags.desk.MAX_COUNTED", 2)
    assert figures.open_orders()["confirmed"] == 2
    assert "2 or more</span><span>ready to ship" in sit_down("viewer").get("/admin/").content.decode()


def test_orders_that_are_pending_for_long_are_counted_with_their_age():
    make("pending", minutes=4)
    make("pending", hours=3)
    make("confirmed", hours=3)
    assert figures.long_pending_orders() == figures.LongPending(orders=1, age="3 hours")
    assert figures.open_orders() == {"pending": 2, "confirmed": 1, "shipped": 0}


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (60, "1 minute"), (7300, "2 hours"), (90_000, "1 day")]
)
def test_an_age_is_a_number_and_its_largest_unit(seconds, text):
    assert figures.age_in_words(seconds) == text


def test_the_page_shows_it_all(sit_down, customer, place):
    place(customer)
    html = sit_down("viewer").get("/admin/").content.decode()
    tiles = re.findall(r'desk-figure">([\d,]+)</span>', html)
    assert tiles == ["0", "0", "1", "0"]
    assert html.count('class="chart"') == 2
    assert f"{now():%Y-%m-%d}" in html
    for state in service_status.read_states():
        assert state.name in html


def test_an_old_event_in_the_outbox_is_highlighted(sit_down, customer, place):
    place(customer)
    Outbox.objects.update(created_at=now() - timedelta(minutes=10))
    desk = sit_down("viewer")
    assert "desk-tile-bad" in desk.get("/admin/").content.decode()
    assert "the oldest for 10 minutes" in desk.get("/admin/orders/outbox/").content.decode()


def test_products_with_low_stock_are_listed_or_the_reason_why_not(sit_down, monkeypatch):
    desk = sit_down("viewer")
    monkeypatch.setattr(
        low_stock, "find_low_stock", lambda request: RemoteUnavailable("product_service is unavailable")
    )
    assert "product_service is unavailable" in desk.get("/admin/").content.decode()
    monkeypatch.setattr(low_stock, "find_low_stock", lambda request: ())
    assert "No product has low stock." in desk.get("/admin/").content.decode()


@pytest.mark.parametrize(
    ("lag", "words"),
    [(0, "is up to date"), (1234, "is 1,234 events behind"), (None, "The lag of the replica is unknown")],
)
def test_the_catalogue_shows_its_lag(sit_down, sell, lag, words):
    sell(name="Brass lamp")
    CatalogueState.objects.create(pk=1, end_offsets={})
    state = {"beat": time.time(), "host": "h", "parts": {"order-service-catalogue": {"lag": lag}}}
    WorkerState.objects.create(worker="h:1", beat=state["beat"], state=state)
    html = sit_down("viewer").get("/admin/orders/catalogueproduct/?q=bra").content.decode()
    assert words in html
    assert "Brass lamp" in html
