"""Finding orders at the desk."""

import re
from datetime import timedelta

import pytest

from libs.values.times import now
from order_service.desk.orders.periods import Period, drill_down
from order_service.domain.order_id import first_id, new_id
from order_service.store.models import Order

pytestmark = pytest.mark.django_db

ORDERS = "/admin/orders/order/"


def listed(browser, query=""):
    html = browser.get(ORDERS + query).content.decode()
    return re.findall(r'name="_selected_action" value="(\w+)"', html)


def age(order, **ago):
    """Give an order an earlier time, which is in its id. Return its new id."""
    moment = now() - timedelta(**ago)
    older = new_id(moment)
    row = Order.objects.get(pk=order)
    Order.objects.create(
        **{f.attname: getattr(row, f.attname) for f in Order._meta.fields} | {"id": older, "created_at": moment}
    )
    row.delete()
    return older


def test_orders_are_found_by_the_product_that_was_ordered(sit_down, customer, sell, place):
    lamp, chair = sell(name="Brass lamp 50%"), sell(name="Brass chair")
    ordered = {name: place(customer, product) for name, product in (("lamp", lamp), ("chair", chair))}
    desk = sit_down("staff")
    assert listed(desk, f"?q={lamp}") == [ordered["lamp"]]
    assert listed(desk, "?q=brass") == [ordered["chair"], ordered["lamp"]]
    assert listed(desk, "?q=Brass+lamp+50%25") == [ordered["lamp"]]
    assert listed(desk, "?q=%25lamp") == []
    assert listed(desk, "?q=lamp") == []  # only beginnings: the index knows no more


def test_a_search_that_finds_too_many_says_so(sit_down, customer, sell, place, monkeypatch):
    monkeypatch.setattr("order_service.queries.order_search.MAX_MATCHES", 1)
    orders = [place(customer, sell(name=name)) for name in ("Lamp A", "Lamp B")]
    desk = sit_down("staff")
    assert len(listed(desk, "?q=lamp")) == 1
    assert "Too many orders match. Enter more characters." in desk.get(f"{ORDERS}?q=lamp").content.decode()
    assert "Too many orders match" not in desk.get(f"{ORDERS}?placed={now():%Y-%m-%d}").content.decode()
    assert len(orders) == 2


def test_a_number_is_found_as_the_mails_write_it(sit_down, customer, place):
    order = place(customer)
    desk = sit_down("staff")
    for query in (f"%23{order}", f"+{order.lower()}+", order[:12]):
        assert listed(desk, f"?q={query}") == [order]


def test_the_address_of_a_customer_leads_to_all_orders_of_the_account(sit_down, customer, make_caller, place):
    mine = [place(customer), place(customer)]
    place(make_caller())
    desk = sit_down("staff")
    html = desk.get(f"{ORDERS}?q={mine[0]}").content.decode()
    [there] = re.findall(r'href="(/admin/orders/order/\?user_id=\w+)"', html)
    assert listed(desk, there.removeprefix(ORDERS)) == mine[::-1]
    assert there in desk.get(f"{ORDERS}{mine[0]}/change/").content.decode()


def test_orders_that_wait_for_more_than_five_minutes_have_a_filter(sit_down, customer, place, place_confirmed):
    place(customer)
    late = age(place(customer), minutes=6)
    age(place_confirmed(customer), minutes=6)
    assert listed(sit_down("staff"), "?waiting=long") == [late]


def test_links_drill_down_to_a_day_by_year_and_month(sit_down, customer, place):
    today, before = place(customer), age(place(customer), days=400)
    desk, moment = sit_down("staff"), now() - timedelta(days=400)
    assert f"?placed={moment:%Y}" in desk.get(ORDERS).content.decode()
    for text in ("%Y", "%Y-%m", "%Y-%m-%d"):
        assert listed(desk, f"?placed={moment:{text}}") == [before]
        assert listed(desk, f"?placed={now():{text}}&q={today}") == [today]
    assert f"?placed={moment:%Y-%m-%d}" in desk.get(f"{ORDERS}?placed={moment:%Y-%m}").content.decode()


@pytest.mark.parametrize("text", ["x", "2026-13", "2026-02-30", "0000", "9999-12-31", "2026-1-1", "2026-11-20-1"])
def test_what_is_no_day_is_refused_and_shows_the_whole_list(sit_down, customer, place, text):
    order = place(customer)
    answer = sit_down("staff").get(f"{ORDERS}?placed={text}", follow=True)
    assert (answer.status_code, order in answer.content.decode()) == (200, True)


def test_a_month_ends_where_the_next_one_begins():
    month = Period.parse("2026-02")
    assert month.bounds() == {"id__gte": first_id(month.start), "id__lt": first_id(Period.parse("2026-03").start)}
    assert len(month.children(month.start, month.end)) == 28
    assert [p.value for p in Period.parse("2026-02-03").parents()] == ["2026", "2026-02"]
    assert drill_down(None).here is None


@pytest.mark.parametrize("query", ["total__gt=1", "user_email__icontains=a", "created_at__gte=2026-01-01", "reason=x"])
def test_no_other_column_can_be_searched_by_an_address(sit_down, query):
    assert sit_down("staff").get(f"{ORDERS}?{query}").status_code == 400


def test_a_list_counts_no_further_than_it_pages(sit_down, customer, place, monkeypatch):
    monkeypatch.setattr("order_service.desk.model_admin.MAX_COUNTED", 2)
    for _ in range(3):
        place(customer)
    html = sit_down("staff").get(ORDERS).content.decode()
    assert "2 or more orders" in html
