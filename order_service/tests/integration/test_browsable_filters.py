"""The form of the list's page: the JSON API's filters, sent as a browser sends them."""

import re
from urllib.parse import quote

import pytest

from order_service.queries.order_search import find_orders
from order_service.store.models import Order
from order_service.tests.integration.test_browsable import listed, page
from order_service.tests.integration.test_placing import problem

pytestmark = pytest.mark.django_db

EMPTY = "search=&status=&sort=&createdAfter=&createdBefore=&userId=&limit="


def wrong(shown):
    """The errors at fields, by field."""
    return dict(re.findall(r'<span class="wrong" id="id_(\w+)_error">(.*?)</span>', shown))


def test_fields_left_empty_say_nothing(desk, customer, place):
    order = place(customer)
    assert listed(desk, f"?{EMPTY}") == [order]
    problem(desk.get(f"/orders?{EMPTY}", headers={"accept": "application/json"}), 400, "invalid")


def test_filters_of_the_form_are_those_of_json(desk, customer, make_caller, place):
    kept, cancelled, other = place(customer), place(customer), place(make_caller())
    customer.send(f"/orders/{cancelled}/cancel", {})
    row = Order.objects.get(pk=kept)
    assert listed(desk, f"?status=cancelled&userId={customer.user_id}") == [cancelled]
    assert listed(desk, f"?search={quote(row.user_email)}&sort=oldest") == [kept, cancelled]
    assert listed(desk, "?sort=oldest") == [kept, cancelled, other]


def test_a_browsers_time_is_utc_and_comes_back_in_the_form(desk, customer, place):
    order = place(customer)
    assert listed(desk, "?createdAfter=2026-01-01T10:00&createdBefore=9999-01-01T00:00:30") == [order]
    assert listed(desk, "?createdBefore=2001-01-01T10:00") == []
    shown = page(desk, "/orders?createdAfter=2026-01-01T10:00&createdBefore=2026-01-01T14:00:00%2B02:00&status=shipped")
    for value in ("2026-01-01T10:00:00", "2026-01-01T12:00:00"):
        assert f'type="datetime-local" name="created{"After" if "10" in value else "Before"}" value="{value}"' in shown
    assert '<option value="shipped" selected>' in shown


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=lost", "status"),
        ("createdAfter=yesterday", "createdAfter"),
        ("createdBefore=2026-13-01T00:00", "createdBefore"),
        ("limit=0", "limit"),
        ("sort=price", "sort"),
        ("search=%01", "search"),
        ("userId=" + "x" * 65, "userId"),
    ],
)
def test_a_bad_value_is_named_at_its_field_and_the_page_stays(desk, query, field):
    shown = page(desk, f"/orders?{query}", 400)
    assert list(wrong(shown)) == [field]
    assert 'aria-invalid="true"' in shown
    named = problem(desk.get(f"/orders?{query}", headers={"accept": "application/json"}), 400, "invalid")["errors"]
    assert [error["field"] for error in named] == [field]


@pytest.mark.parametrize(("query", "field"), [("nonsense=1", "nonsense"), ("cursor=x", "cursor")])
def test_what_has_no_field_is_named_above_the_form(desk, query, field):
    assert f"<b>{field}</b>:" in page(desk, f"/orders?{query}", 400)


def test_pages_follow_each_other_both_ways_and_keep_the_filters(desk, customer, place):
    orders = [place(customer) for _ in range(5)]
    path, seen = "?limit=2&sort=oldest&status=pending&search=", []
    for _ in range(3):
        shown = page(desk, f"/orders{path}")
        seen.append(listed(desk, path))
        links = dict(re.findall(r'<a rel="(\w+)" href="/orders(.*?)"', shown))
        path = links.get("next", path)
    assert seen == [orders[:2], orders[2:4], orders[4:]]
    assert listed(desk, links["prev"]) == orders[2:4]
    assert "status=pending" in links["prev"]
    assert 'name="cursor"' not in shown  # a new search begins at its first page


@pytest.mark.parametrize(
    "typed", ["{}@BÜCHER.example", "{}@xn--bcher-kva.example", "{}@b\u00fccher\uff0eexample", " {}@bü"]
)
@pytest.mark.parametrize("stored", ["{}@bücher.example", "{}@xn--bcher-kva.example"])
def test_an_address_is_found_in_each_spelling_of_its_domain(desk, customer, place, stored, typed):
    order = place(customer)
    Order.objects.filter(pk=order).update(user_email=stored.format(order.lower()))
    found = [] if typed.endswith("bü") and "xn--" in stored else [order]  # the beginning of another spelling
    assert listed(desk, f"?search={quote(typed.format(order.lower()))}") == found
    assert find_orders(typed.format(order.lower())).ids == set(found)
