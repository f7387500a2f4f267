"""An order that differs from the replica of the catalogue is judged by what product_service says now. No other order asks it."""

import threading
import time
from datetime import UTC, datetime

import pytest

from libs.runtime.call_breaker import FAILURES
from libs.values.times import rfc3339
from order_service.api import orders as api
from order_service.queries import offers
from order_service.queries.offers import CALL_SECONDS, MAX_CONCURRENT, OfferReader
from order_service.store.models import CatalogueProduct, OrderLine
from order_service.tests.integration.neighbours import serving
from order_service.tests.integration.test_placing import problem

pytestmark = pytest.mark.django_db

CUSTOMERS = 8


class Catalogue:
    """product_service: what is on sale there now."""

    def __init__(self):
        self.asked, self.offers, self.answer = [], {}, lambda: None

    def add(self, product_id, price, version=4, name="Lamp", **more):
        moment = rfc3339(datetime.now(UTC))
        fields = {"id": product_id, "name": name, "price": price, "currency": "USD", "active": True}
        self.offers[product_id] = fields | {"version": version, "updatedAt": moment} | more

    def __call__(self, asked):
        self.asked.append(asked)
        if special := self.answer():
            return special
        assert asked.path == "/products/offers"
        return 200, {"results": [self.offers[key] for key in asked.query["ids"].split(",") if key in self.offers]}


@pytest.fixture(autouse=True)
def _own_reader(monkeypatch, settings):
    """A breaker of its own, and time enough on a loaded machine."""
    monkeypatch.setattr(api, "offers", OfferReader(lambda: settings.PRODUCT_SERVICE_URL))
    monkeypatch.setattr(offers, "CALL_SECONDS", 20)


@pytest.fixture
def shop(settings):
    with serving(found := Catalogue()) as settings.PRODUCT_SERVICE_URL:
        yield found


@pytest.fixture
def nobody_answers(settings):
    settings.PRODUCT_SERVICE_URL = "http://127.0.0.1:1"


def order(caller, product_id, price=None, quantity=1):
    body = {"productId": product_id, "quantity": quantity} | ({"productPrice": price} if price else {})
    return caller.send("/orders", body)


def test_the_usual_order_makes_no_call(customer, sell, shop):
    lamp, oil = sell("19.90"), sell("5.00")
    assert order(customer, lamp).status_code == 201
    assert order(customer, lamp, "19.90").status_code == 201
    items = [{"productId": lamp, "quantity": 1, "productPrice": "19.90"}, {"productId": oil, "quantity": 2}]
    assert customer.send("/orders", {"items": items}).status_code == 201
    assert shop.asked == []


def test_a_price_that_was_just_changed_is_taken(customer, sell, shop):
    lamp = sell("19.90")
    shop.add(lamp, "24.90", version=4, name="Brighter lamp")
    answer = order(customer, lamp, "24.90")
    assert answer.status_code == 201, answer.content
    (line,) = answer.json()["order"]["items"]
    assert (line["unitPrice"], line["name"]) == ("24.90", "Brighter lamp")
    assert OrderLine.objects.get(order_id=answer.json()["orderId"]).product_version == 4
    assert len(shop.asked) == 1


def test_a_product_that_was_just_made_can_be_ordered(customer, shop):
    product = "a" * 24
    shop.add(product, "7.00", version=1)
    assert order(customer, product).json()["order"]["total"] == "7.00"
    assert not CatalogueProduct.objects.filter(pk=product).exists()


def test_a_price_that_is_wrong_there_too_is_refused_with_the_present_one(customer, sell, shop):
    lamp = sell("19.90")
    shop.add(lamp, "24.90")
    body = problem(order(customer, lamp, "9.90"), 409, "price-changed")
    assert body["prices"] == [{"productId": lamp, "price": "24.90"}]
    assert "stale" not in body


def test_a_product_that_was_just_withdrawn_is_refused(customer, sell, shop):
    lamp = sell("19.90")
    body = problem(order(customer, lamp, "9.90"), 422, "unknown-product")
    assert (body["products"], "stale" in body) == ([lamp], False)


def test_the_newer_version_counts(customer, sell, shop):
    lamp = sell("24.90", version=9)
    shop.add(lamp, "19.90", version=8)  # read before the replica was
    assert problem(order(customer, lamp, "19.90"), 409)["prices"] == [{"productId": lamp, "price": "24.90"}]


def test_several_products_are_one_call_and_only_those_in_doubt_are_asked_for(customer, sell, shop):
    same, dearer, new = sell("1.00"), sell("2.00"), "b" * 24
    shop.add(dearer, "3.00")
    shop.add(new, "4.00")
    items = [
        {"productId": product, "quantity": 1, "productPrice": price}
        for product, price in ((same, "1.00"), (dearer, "3.00"), (new, "4.00"))
    ]
    answer = customer.send("/orders", {"items": items})
    assert answer.json()["order"]["total"] == "8.00"
    (asked,) = shop.asked
    assert set(asked.query["ids"].split(",")) == {dearer, new}


def test_an_id_that_no_product_has_is_not_asked_for(customer, shop):
    body = problem(order(customer, "no such thing"), 422, "unknown-product")
    assert (shop.asked, "stale" in body) == ([], False)


def test_without_product_service_the_replica_decides_and_the_answer_says_so(customer, sell, nobody_answers):
    lamp = sell("19.90")
    assert order(customer, lamp, "19.90").status_code == 201
    body = problem(order(customer, lamp, "24.90"), 409, "price-changed")
    assert (body["prices"], body["stale"]) == ([{"productId": lamp, "price": "19.90"}], True)
    body = problem(order(customer, "c" * 24), 422, "unknown-product")
    assert (body["products"], body["stale"]) == (["c" * 24], True)


@pytest.mark.parametrize(
    "answer",
    [
        (503, {"code": "unavailable"}),
        (400, {"code": "invalid"}),
        (200, {"results": None}),
        (200, {"results": [{"id": "x"}]}),
        (200, None),
    ],
    ids=["unavailable", "older version", "no list", "no product", "no body"],
)
def test_an_answer_that_is_none_is_no_answer(customer, sell, shop, answer):
    shop.answer = lambda: answer
    assert problem(order(customer, sell("19.90"), "24.90"), 409)["stale"] is True


def test_a_slow_answer_is_not_waited_for(customer, sell, shop, monkeypatch):
    monkeypatch.setattr(offers, "CALL_SECONDS", CALL_SECONDS)
    go = threading.Event()
    shop.answer = lambda: go.wait(20) and None
    try:
        assert problem(order(customer, sell("19.90"), "24.90"), 409)["stale"] is True
    finally:
        go.set()


def test_after_failures_in_a_row_it_is_not_asked_for_a_while(customer, sell, shop):
    lamp = sell("19.90")
    shop.answer = lambda: (503, {"code": "unavailable"})
    for _ in range(FAILURES + 3):
        assert problem(order(customer, lamp, "24.90"), 409)["stale"] is True
    assert len(shop.asked) == FAILURES


def test_few_calls_are_made_at_once(shop, settings):
    busy, most, lock = 0, 0, threading.Lock()

    def count():
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.02)
        with lock:
            busy -= 1

    shop.answer = count
    reader = OfferReader(lambda: settings.PRODUCT_SERVICE_URL)
    threads = [threading.Thread(target=reader.read, args=[["a" * 24]]) for _ in range(CUSTOMERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= MAX_CONCURRENT


def test_a_keyed_order_is_asked_for_once(customer, sell, shop):
    lamp = sell("19.90")
    shop.add(lamp, "24.90")
    body = {"productId": lamp, "quantity": 1, "productPrice": "24.90"}
    answers = [
        customer.post("/orders", body, "application/json", headers={"idempotency-key": "fresh"}) for _ in range(2)
    ]
    assert answers[0].content == answers[1].content
    assert (answers[0].status_code, len(shop.asked)) == (201, 1)
