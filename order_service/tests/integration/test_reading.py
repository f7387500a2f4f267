"""GET /orders and GET /orders/{id}: whose orders, which of them, in how many queries."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import pytest

from order_service.domain.order_id import new_id
from order_service.store.models import Order
from order_service.tests.integration.test_placing import problem

pytestmark = pytest.mark.django_db


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [order["id"] for order in answer.json()["results"]]


def walk(caller, path):
    """All pages from `path` on, as lists of ids."""
    pages = []
    while path:
        answer = caller.get(path).json()
        pages.append([order["id"] for order in answer["results"]])
        path = answer["next"] and "?".join(urlsplit(answer["next"])[2:4])
    return pages


def test_customers_see_their_own_orders_newest_first(customer, make_caller, place):
    other = make_caller()
    mine, theirs = [place(customer) for _ in range(3)], place(other)
    assert ids(customer.get("/orders")) == sorted(mine, reverse=True)
    assert ids(customer.get("/orders/")) == sorted(mine, reverse=True)
    assert ids(other.get("/orders")) == [theirs]


def test_the_order_of_another_customer_does_not_exist(customer, make_caller, place):
    other, order = make_caller(), place(customer)
    problem(other.get(f"/orders/{order}"), 404, "unknown-order")
    problem(other.send(f"/orders/{order}/cancel", {}), 404, "unknown-order")
    problem(other.send(f"/orders/{order}/status", {"status": "confirmed"}, "PUT"), 403, "not-allowed")
    assert Order.objects.get(pk=order).status == "pending"


@pytest.mark.parametrize("role", ["viewer", "staff", "admin"])
def test_those_who_work_here_see_all(customer, make_caller, place, role):
    order, reader = place(customer), make_caller(role)
    assert reader.get(f"/orders/{order}").json() == customer.get(f"/orders/{order}").json()
    assert ids(reader.get(f"/orders?userId={customer.user_id}")) == [order]


def test_staff_search_by_the_beginning_of_id_address_or_name(customer, make_caller, staff, place):
    order, _ = place(customer), place(make_caller())
    row = Order.objects.get(pk=order)
    for text in (order, order.lower(), row.user_email, row.user_email[:8].upper(), row.username):
        assert order in ids(staff.get(f"/orders?search={quote(text)}")), text
    assert ids(staff.get(f"/orders?search={row.user_email}")) == [order]
    assert ids(staff.get("/orders?search=%25")) == []
    assert ids(staff.get("/orders?search=_")) == []


def test_orders_are_filtered_by_status(customer, place):
    kept, cancelled = place(customer), place(customer)
    customer.send(f"/orders/{cancelled}/cancel", {})
    assert ids(customer.get("/orders?status=pending")) == [kept]
    assert ids(customer.get("/orders?status=cancelled")) == [cancelled]
    assert ids(customer.get("/orders?status=shipped")) == []


def test_times_are_a_half_open_interval(customer, place):
    moment = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)
    for order in [place(customer) for _ in range(3)]:
        Order.objects.filter(pk=order).first().lines.all().delete()
        Order.objects.filter(pk=order).delete()
    made = []
    for minutes in range(3):
        at = moment + timedelta(minutes=minutes)
        columns = {"user_id": customer.user_id, "user_email": "a@example.com", "username": "a", "status": "pending"}
        columns |= {"total": 1, "currency": "USD", "sequence": 1, "created_at": at, "updated_at": at}
        order = Order.objects.create(id=new_id(at), **columns)
        order.lines.create(
            position=1, product_id="p", name="P", quantity=1, unit_price=1, line_total=1, product_version=1
        )
        made.append(order.id)
    first, second = "2026-01-31T12:01:00.250Z", quote("2026-01-31T14:02:00.2500+02:00")
    assert ids(customer.get(f"/orders?createdAfter={first}")) == made[:0:-1]
    assert ids(customer.get(f"/orders?createdBefore={first}")) == made[:1]
    assert ids(customer.get(f"/orders?createdAfter={first}&createdBefore={second}")) == made[1:2]
    assert (
        ids(customer.get("/orders?createdAfter=0001-01-01T00:00:00Z&createdBefore=9999-12-31T23:59:59Z")) == made[::-1]
    )
    assert ids(customer.get(f"/orders?updatedAfter={quote('0001-01-01T00:00:00+14:00')}")) == made[::-1]
    assert ids(customer.get("/orders?updatedAfter=9999-12-31T23:59:59-14:00")) == []


def test_pages_hold_each_order_once_forward_and_back(customer, place):
    orders = sorted((place(customer) for _ in range(5)), reverse=True)
    assert walk(customer, "/orders?limit=2&status=pending") == [orders[:2], orders[2:4], orders[4:]]
    last = customer.get("/orders?limit=2").json()
    for _ in range(2):
        last = customer.get(last["next"]).json()
    back = customer.get(last["previous"]).json()
    assert [order["id"] for order in back["results"]] == orders[2:4]
    assert back["next"].startswith("/orders?")


def test_the_oldest_come_first_on_demand_and_a_cursor_keeps_to_its_order(customer, place):
    orders = [place(customer) for _ in range(5)]
    assert walk(customer, "/orders?limit=2&sort=oldest") == [orders[:2], orders[2:4], orders[4:]]
    assert ids(customer.get("/orders?sort=newest")) == orders[::-1]
    second = customer.get(customer.get("/orders?limit=2&sort=oldest").json()["next"]).json()
    assert ids(customer.get(second["previous"])) == orders[:2]
    crossed = second["next"].replace("sort=oldest", "sort=newest")
    assert problem(customer.get(crossed), 400, "invalid")["errors"][0]["code"] == "invalid-cursor"


def test_an_order_that_is_placed_between_two_pages_shifts_nothing(customer, place):
    orders = sorted((place(customer) for _ in range(4)), reverse=True)
    first = customer.get("/orders?limit=2").json()
    place(customer)
    assert ids(customer.get(first["next"])) == orders[2:]


def test_a_list_takes_one_query_whatever_its_length(customer, place, django_assert_num_queries):
    for _ in range(3):
        place(customer)
    with django_assert_num_queries(1):
        assert len(ids(customer.get("/orders"))) == 3


def test_an_empty_list_takes_one_query(customer, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert customer.get("/orders").json() == {"next": None, "previous": None, "results": []}


def test_one_order_takes_one_query(customer, place, django_assert_num_queries):
    order = place(customer)
    with django_assert_num_queries(1):
        assert customer.get(f"/orders/{order}").status_code == 200
