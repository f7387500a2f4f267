"""The JSON that reads make of rows is that which the other routes make of an Order."""

from urllib.parse import urlsplit

import orjson
import pytest
from django.http import QueryDict

from libs.access.caller import Caller
from libs.values.pages import PageRequest
from order_service.api import responses
from order_service.api.filters import OrderFilters, StaffOrderFilters, form_of, plain_page
from order_service.domain.errors import UnknownOrder
from order_service.queries import order_json
from order_service.queries import orders as typed
from order_service.queries.order_ranges import OrderFilter
from order_service.store.models import Order
from order_service.tests.integration.test_stock import hear

pytestmark = pytest.mark.django_db

ADDRESS = {"name": "Ann", "line1": "Straße 1", "city": "Oslo", "postalCode": "0150", "country": "NO"}
STAFF = Caller("s" * 24, "staff@example.com", "staff", ("staff",))


@pytest.fixture
def mine(customer):
    return Caller(customer.user_id, "a@example.com", "a")


@pytest.fixture
def orders(customer, make_caller, staff, sell):
    """Orders in all states, with everything that an order may have; the customer's ids."""
    products = [sell("19.90", name="Lämp 🧀"), sell("0.00", name="Oil & <wick>"), sell("9999.99", name='"a" \\ b')]

    def place(caller=customer, **more):
        items = [{"productId": product, "quantity": number} for number, product in enumerate(products, start=1)]
        return caller.send("/orders", {"items": items, **more}).json()["orderId"]

    confirmed, shipped, cancelled, short, dear, old = (place() for _ in range(6))
    plain = place(shippingAddress=ADDRESS), place(shippingAddress=ADDRESS | {"line2": "Flat 2"})
    for order in (confirmed, shipped):
        hear("stock-reserved", order)
    staff.send(f"/orders/{shipped}/status", {"status": "shipped"}, "PUT")
    customer.send(f"/orders/{cancelled}/cancel", {})
    lacking = [{"productId": product, "wanted": 2, "available": 1} for product in products[:2]]
    hear("stock-rejected", short, reason="out_of_stock", shortages=lacking)
    hear("stock-rejected", dear, reason="price_changed", prices=[{"productId": products[0], "price": "20.50"}])
    hear("stock-rejected", old, reason="out_of_stock")
    place(make_caller())
    return [confirmed, shipped, cancelled, short, dear, old, *plain]


def test_one_order_is_the_same_json(mine, orders):
    for caller in (mine, STAFF):
        for order in orders:
            expected = responses.to_public(typed.get_order(caller, order))
            assert orjson.dumps(order_json.get_order(caller, order)) == orjson.dumps(expected)
    shown = [order_json.get_order(mine, order) for order in orders]
    assert {order["status"] for order in shown} == {"pending", "confirmed", "shipped", "cancelled", "rejected"}
    assert {"shippingAddress", "reason", "shortages", "prices"} <= set().union(*shown)


def test_an_order_that_is_older_than_the_column_of_its_lines_is_the_same_json(mine, orders):
    pages = QUERIES[:2]
    before = [order_json.get_order(mine, order) for order in orders], [shown(mine, query) for query in pages]
    Order.objects.filter(id__in=orders[::2]).update(items=None)
    assert ([order_json.get_order(mine, order) for order in orders], [shown(mine, query) for query in pages]) == before


def shown(caller, query):
    form = form_of(OrderFilters)(QueryDict(query).dict())
    form.require_valid()
    return order_json.list_orders(form.as_filter(caller), form.page).results


def test_what_the_caller_may_not_read_does_not_exist(mine, orders, make_caller):
    other = Caller("o" * 24, "o@example.com", "o")
    for caller, order in ((other, orders[0]), (mine, "x"), (STAFF, "x"), (mine, orders[0].lower())):
        with pytest.raises(UnknownOrder):
            order_json.get_order(caller, order)


QUERIES = [
    "", "limit=3", "limit=3&sort=oldest", "status=rejected", "status=pending&sort=oldest&limit=1", "userId=nobody",
    "createdAfter=2026-01-01T00:00:00Z", "createdBefore=2026-01-01T00:00:00Z", "createdAfter=2030-01-01T00:00:00.5Z&limit=2",
    "updatedAfter=2026-01-01T00:00:00Z&limit=3", "updatedAfter=2026-01-01T00:00:00Z&status=pending&sort=oldest&limit=1",
    "search=u&limit=2", "search=0&limit=3&sort=oldest", "search=_", "search=u&status=rejected&updatedAfter=2026-01-01T00:00:00Z",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_each_page_of_a_list_is_the_same_json(mine, orders, query):
    for caller in (mine, STAFF):
        if caller is mine and ("userId" in query or "search" in query):
            continue
        path, seen = f"/orders?{query}", 0
        while path:
            form = form_of(StaffOrderFilters if caller is STAFF else OrderFilters)(
                QueryDict(urlsplit(path).query).dict()
            )
            form.require_valid()
            page = typed.list_orders(form.narrow(typed.orders_of(caller)), form.page)
            quick = order_json.list_orders(form.as_filter(caller), form.page)
            assert orjson.dumps(quick.render(path, lambda order: order)) == orjson.dumps(responses.to_page(page, path))
            path, seen = page.render(path, lambda order: None)["next"], seen + len(quick.results)
            if quick.previous:
                back = PageRequest(form.page.sort, form.page.limit, (quick.results[0]["id"],), backwards=True)
                expected = typed.list_orders(form.narrow(typed.orders_of(caller)), back)
                assert [order["id"] for order in order_json.list_orders(form.as_filter(caller), back).results] == [
                    order.id for order in expected.results
                ]
        assert seen == form.narrow(typed.orders_of(caller)).count()


def test_a_search_is_a_filter_and_an_id_with_a_space_at_its_end_is_none(mine):
    form = form_of(StaffOrderFilters)({"search": "ann"})
    form.require_valid()
    assert form.as_filter(STAFF) == OrderFilter(beginning="ann")
    form = form_of(StaffOrderFilters)({"userId": "a "})
    form.require_valid()
    assert form.as_filter(STAFF) is None


def test_customers_see_their_own_orders_whatever_they_ask_for(mine):
    form = form_of(OrderFilters)({"status": "pending"})
    form.require_valid()
    assert form.as_filter(mine) == OrderFilter(user_id=mine.user_id, status="pending")


@pytest.mark.parametrize("fields", [{}, {"limit": "5"}, {"sort": "oldest"}, {"limit": "100", "sort": "newest"}])
def test_a_query_without_filters_needs_no_form(fields):
    form = form_of(OrderFilters)(fields)
    form.require_valid()
    assert plain_page(fields) == form.page


@pytest.mark.parametrize(
    "fields",
    [
        {"limit": "0"},
        {"limit": ""},
        {"limit": "x"},
        {"sort": "price"},
        {"cursor": "x"},
        {"status": "pending"},
        {"x": "1"},
    ],
)
def test_a_form_reads_filters_and_errors(fields):
    assert plain_page(fields) is None


def test_an_order_of_many_lines_is_whole(customer, sell):
    items = [{"productId": sell(), "quantity": 1} for _ in range(50)]
    order = customer.send("/orders", {"items": items}).json()["order"]
    assert [line["productId"] for line in order["items"]] == [item["productId"] for item in items]
    assert customer.get(f"/orders/{order['id']}").json() == order
    assert customer.get("/orders?limit=1").json()["results"] == [order]
    assert Order.objects.get(pk=order["id"]).lines.count() == 50
