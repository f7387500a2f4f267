"""POST /orders: prices are the catalogue's, and an order is there with its event or not at all."""

import orjson
import pytest

from order_service.store.models import Order, OrderChange, OrderLine, Outbox
from order_service.store.order_tables import orders as store

pytestmark = pytest.mark.django_db

ADDRESS = {"name": "Ann", "line1": "Lamp Street 1", "city": "Oslo", "postalCode": "0150", "country": "NO"}


def problem(answer, status, code=None):
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), answer.content
    body = answer.json()
    assert body["requestId"] == answer["X-Request-ID"]
    assert code in (None, body["code"]), body
    return body


def test_an_order_of_one_product_costs_what_the_catalogue_says(customer, sell):
    product = sell("19.90", name="Lamp")
    answer = customer.send("/orders", {"productId": product, "quantity": 3, "shippingAddress": ADDRESS})
    assert answer.status_code == 201
    body = answer.json()
    order = body.pop("order")
    assert body == {"status": "success", "message": "Order placed", "orderId": order["id"]}
    assert order["createdAt"] == order["updatedAt"]
    assert order["createdAt"].endswith("Z")
    assert order == {
        "id": order["id"],
        "status": "pending",
        "items": [{"productId": product, "name": "Lamp", "quantity": 3, "unitPrice": "19.90", "lineTotal": "59.70"}],
        "productId": product,
        "quantity": 3,
        "total": "59.70",
        "currency": "USD",
        "shippingAddress": ADDRESS,
        "createdAt": order["createdAt"],
        "updatedAt": order["updatedAt"],
    }


def test_the_response_is_the_order_that_is_read_later(customer, sell):
    items = [{"productId": sell(price), "quantity": 2} for price in ("1.10", "2.20", "0.00")]
    placed = customer.send("/orders/", {"items": items}).json()["order"]
    assert placed["total"] == "6.60"
    assert customer.get(f"/orders/{placed['id']}").json() == placed
    assert customer.get("/orders").json()["results"] == [placed]


def test_order_lines_change_and_event_are_stored_together(customer, sell):
    placed = customer.send("/orders", {"productId": sell(), "quantity": 2}).json()["order"]
    row = Outbox.objects.get(aggregate_id=placed["id"])
    assert (row.topic, row.sequence) == ("order-placed", 1)
    event = orjson.loads(row.payload)
    assert event["items"] == [{**placed["items"][0], "version": 3}]
    assert event["timestamp"] == placed["createdAt"]  # the prices of this moment are the right ones
    assert (event["userId"], event["status"], event["previousStatus"]) == (customer.user_id, "pending", None)
    assert orjson.loads(row.headers)["ce_id"] == row.event_id
    change = OrderChange.objects.get(order_id=placed["id"])
    assert (change.from_status, change.to_status, change.actor) == (None, "pending", f"customer:{customer.user_id}")


def test_an_order_takes_three_round_trips_and_its_transaction(customer, sell, django_assert_num_queries):
    body = {"items": [{"productId": sell(), "quantity": 1} for _ in range(5)]}
    with django_assert_num_queries(3 + 2):  # the first order of an account adds its row and locks it again
        assert customer.send("/orders", body).status_code == 201
    with django_assert_num_queries(3):  # prices; account; order, lines, change, event and reservation request
        assert customer.send("/orders", body).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_without_its_event_there_is_no_order(customer, sell, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("the outbox is broken")

    product, orders, lines = sell(), Order.objects.count(), OrderLine.objects.count()
    monkeypatch.setattr(store.outbox, "make_rows", fail)
    customer.raise_request_exception = False
    problem(customer.send("/orders", {"productId": product, "quantity": 1}), 500)
    assert (Order.objects.count(), OrderLine.objects.count()) == (orders, lines)


@pytest.mark.parametrize("price", [19.9, "19.90", "19.9"])
def test_a_price_that_is_the_catalogues_is_accepted(customer, sell, price):
    body = {"productId": sell("19.90"), "quantity": 1, "productPrice": price}
    assert customer.send("/orders", body).status_code == 201


def test_another_price_is_refused_with_the_current_one(customer, sell):
    one, other, third = sell("19.90"), sell("5.00"), sell("1.00")
    items = [
        {"productId": one, "quantity": 1, "productPrice": 0.01},
        {"productId": other, "quantity": 1, "productPrice": "5"},
        {"productId": third, "quantity": 1},
    ]
    body = problem(customer.send("/orders", {"items": items}), 409, "price-changed")
    assert body["prices"] == [{"productId": one, "price": "19.90"}]
    assert not Order.objects.filter(user_id=customer.user_id).exists()


def test_a_product_that_is_unknown_or_not_sold_any_more_cannot_be_ordered(customer, sell):
    gone = sell(active=False)
    items = [{"productId": product, "quantity": 1} for product in (sell(), gone, "0" * 24, "käse 🧀")]
    body = problem(customer.send("/orders", {"items": items}), 422, "unknown-product")
    assert body["products"] == [gone, "0" * 24, "käse 🧀"]


def test_ids_of_products_differ_by_case(customer, sell):
    product = sell(product_id="lamp-a")
    problem(customer.send("/orders", {"productId": product.upper(), "quantity": 1}), 422, "unknown-product")


def test_one_order_has_one_currency(customer, sell):
    items = [{"productId": sell(currency=currency), "quantity": 1} for currency in ("USD", "EUR")]
    problem(customer.send("/orders", {"items": items}), 422, "mixed-currencies")


def test_a_total_that_no_column_holds_is_refused(customer, sell):
    body = {"productId": sell("9999999999.99"), "quantity": 1}
    assert customer.send("/orders", body).json()["order"]["total"] == "9999999999.99"
    problem(customer.send("/orders", {**body, "quantity": 2}), 422, "total-too-large")


def test_fifty_lines_of_long_names_fit_into_an_event(customer, sell):
    items = [{"productId": sell(name="é" * 200), "quantity": 1000} for _ in range(50)]
    assert customer.send("/orders", {"items": items}).status_code == 201


def test_only_a_customers_token_can_order(anybody, desk, sell):
    body = {"productId": sell(), "quantity": 1}
    assert problem(anybody.send("/orders", body), 401)["title"]
    assert anybody.send("/orders", body)["WWW-Authenticate"] == "Bearer"
    answer = desk.post("/orders", orjson.dumps(body), "application/json", headers={"accept": "application/json"})
    problem(answer, 403, "not-allowed")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"country": "de"}, {"country": "DE"}),
        ({"country": "HK", "postalCode": "", "city": "Kowloon", "line2": " "}, {"country": "HK", "city": "Kowloon"}),
        ({"country": "AE", "city": "Dubai", "postalCode": None}, {"country": "AE", "city": "Dubai"}),
        ({"country": "SG", "city": "", "postalCode": "546080"}, {"country": "SG", "postalCode": "546080"}),
    ],
)
def test_an_address_has_the_lines_of_its_country(customer, sell, sent, kept):
    body = {"productId": sell(), "quantity": 1, "shippingAddress": ADDRESS | sent}
    answer = customer.send("/orders", body)
    assert answer.status_code == 201, answer.content
    lines = ADDRESS | kept
    expected = {name: lines[name] for name in lines if name not in sent or name in kept}
    assert answer.json()["order"]["shippingAddress"] == expected
    assert customer.get(f"/orders/{answer.json()['orderId']}").json()["shippingAddress"] == expected


def test_a_country_of_an_earlier_version_is_shown_in_upper_case(customer, sell):
    body = {"productId": sell(), "quantity": 1, "shippingAddress": ADDRESS}
    order = customer.send("/orders", body).json()["orderId"]
    Order.objects.filter(id=order).update(shipping_address=ADDRESS | {"country": "no", "line2": ""})
    assert customer.get(f"/orders/{order}").json()["shippingAddress"] == ADDRESS
