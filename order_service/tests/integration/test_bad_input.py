"""Whatever a client sends: a problem with the contract's status, never a crash, nothing stored."""

import pytest

from order_service.store.models import Order
from order_service.tests.integration.test_placing import ADDRESS, problem

pytestmark = pytest.mark.django_db

RAW = {
    "no JSON": (b"{not json", 400),
    "no UTF-8": (b"\xff\xfe", 400),
    "a lone surrogate": (rb'{"productId": "\ud800", "quantity": 1}', 400),
    "empty": (b"", 400),
    "an array": (b"[1]", 400),
    "null": (b"null", 400),
    "deep": (b'{"items": ' + b"[" * 40 + b"]" * 40 + b"}", 400),
    "too deep for a parser": (b"[" * 2000, 400),
    "a number that is none": (b'{"productId": "x", "quantity": NaN}', 400),
    "too large": (b'{"productId": "' + b"x" * 100_000 + b'"}', 413),
}

FIELDS = {
    "quantity": [None, 0, -1, 1001, 10**9, 10**30, 1.5, "many", "1", True, {"$gt": ""}, [1]],
    "productId": [None, "", " ", 7, {"$gt": ""}, "x" * 65, "nul\0", "two\nlines", ["x"]],
    "productPrice": [-1, "1.999", 0.001, "much", "1e3", 1e300, True, {"$gt": ""}, "\u0661", " 1.00"],
    "shippingAddress": [
        "home",
        [],
        {},
        ADDRESS | {"country": "Norway"},
        ADDRESS | {"country": "XX"},
        ADDRESS | {"postalCode": 150},
        ADDRESS | {"postalCode": ""},
        ADDRESS | {"line1": ""},
        ADDRESS | {"line1": "x" * 201},
        ADDRESS | {"door": "left"},
        ADDRESS | {"name": "Ann\r\nBcc: all@example.com"},
    ],
    "total": ["0.01"],
    "status": ["delivered"],
    "userId": ["somebody"],
    "product_price": ["19.90"],
    "items": [[], "x", None, [{}], [None], [{"productId": "x", "quantity": 1}]],
}


@pytest.mark.parametrize("case", RAW)
def test_a_body_that_is_no_small_json_object_is_refused(customer, case):
    raw, status = RAW[case]
    problem(customer.send("/orders", raw), status)
    problem(customer.send(f"/orders/{'0' * 26}/status", raw, "PUT"), 403 if status == 400 else status)


def test_no_body_is_no_object(customer, staff, place):
    order = place(customer)
    problem(customer.send("/orders", b""), 400, "malformed-body")
    problem(staff.send(f"/orders/{order}/status", b"", "PUT"), 400, "malformed-body")
    assert customer.send(f"/orders/{order}/cancel", b"").status_code == 200


def test_only_json_is_read(customer):
    for kind in ("text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        problem(customer.post("/orders", data=b"<x/>", content_type=kind), 415)


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in FIELDS.items() for v in values])
def test_a_field_with_a_bad_value_is_named(customer, sell, field, value):
    body = problem(customer.send("/orders", {"productId": sell(), "quantity": 1, field: value}), 400, "invalid")
    assert body["errors"]
    assert not Order.objects.filter(user_id=customer.user_id).exists()


@pytest.mark.parametrize("value", [[], "x", None, [{}], [None], {"0": {}}])
def test_items_with_a_bad_value_are_named(customer, value):
    body = problem(customer.send("/orders", {"items": value}), 400, "invalid")
    assert body["errors"][0]["field"].startswith("items")


def test_an_order_has_fifty_lines_at_most(customer, sell):
    items = [{"productId": sell(), "quantity": 1} for _ in range(51)]
    problem(customer.send("/orders", {"items": items}), 400, "invalid")


def test_a_product_is_named_once(customer, sell):
    product = sell()
    items = [{"productId": product, "quantity": 1}, {"productId": product, "quantity": 2}]
    body = problem(customer.send("/orders", {"items": items}), 400, "invalid")
    assert body["errors"][0]["code"] == "duplicate-product"


QUERIES = [
    *(
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=",
        "limit=-1",
        "limit=%D9%A1",
        "cursor=garbage",
        "cursor=",
        "cursor=W10",
    ),
    *("status=lost", "status=", "createdAfter=yesterday", "createdAfter=2026-01-01", "createdBefore=1700000000"),
    *("createdAfter=2026-13-01T00:00:00Z", "createdBefore=2026-01-01T00:00:00", "nonsense=1", "format=json"),
    *("userId=x", "search=x", "created_after=2026-01-01T00:00:00Z"),
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_bad_or_unknown_parameter_is_named(customer, query):
    body = problem(customer.get(f"/orders?{query}"), 400, "invalid")
    assert [error["field"] for error in body["errors"]] == [query.partition("=")[0]]


@pytest.mark.parametrize("query", ["search=", "search=%00", "search=" + "x" * 255, "userId=", "userId=" + "x" * 65])
def test_a_bad_parameter_of_staff_is_named(staff, query):
    problem(staff.get(f"/orders?{query}"), 400, "invalid")


@pytest.mark.parametrize(
    "path", ["/orders/x", "/orders/%00", "/orders/%F0%9F%A7%80", f"/orders/{'0' * 26}", "/orders/" + "x" * 300]
)
def test_an_id_of_no_order_is_unknown(customer, staff, path):
    problem(customer.get(path), 404, "unknown-order")
    problem(customer.send(f"{path}/cancel", {}), 404, "unknown-order")
    problem(staff.send(f"{path}/status", {"status": "shipped"}, "PUT"), 404, "unknown-order")


@pytest.mark.parametrize("padding", ["%20", "%20%20", "%09", "%0A"])
def test_an_id_is_compared_byte_by_byte(customer, staff, place, padding):
    order = place(customer)
    for path in (f"/orders/{order}{padding}", f"/orders/{padding}{order}", f"/orders/{order.lower()}"):
        problem(customer.get(path), 404, "unknown-order")
        problem(customer.send(f"{path}/cancel", {}), 404, "unknown-order")
        problem(staff.send(f"{path}/status", {"status": "shipped"}, "PUT"), 404, "unknown-order")
    assert staff.get(f"/orders?userId={customer.user_id}{padding}").json().get("results", []) == []
    assert customer.get(f"/orders/{order}").json()["status"] == "pending"


def test_a_product_is_found_by_its_own_id_only(customer, sell):
    product = sell()
    for other in (product.upper(), f"{product}\u00a0x"):
        assert other != product
        problem(customer.send("/orders", {"productId": other, "quantity": 1}), 422)


@pytest.mark.parametrize("status", ["lost", "", None, 1, "Confirmed", {"$ne": ""}])
def test_a_status_that_does_not_exist_is_invalid(staff, customer, place, status):
    order = place(customer)
    problem(staff.send(f"/orders/{order}/status", {"status": status}, "PUT"), 400, "invalid")


def test_a_method_that_a_route_has_not_is_refused(customer):
    answer = customer.delete("/orders")
    problem(answer, 405)
    assert "GET" in answer["Allow"]
