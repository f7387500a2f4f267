"""The replies to reservation requests, and their effect on the order."""

import orjson
import pytest
from ulid import ULID

from libs.messaging.envelope import Event
from libs.messaging.failures import PermanentFailure
from order_service.events.topics import STOCK_GROUP
from order_service.store.models import Order, OrderChange, Outbox
from order_service.worker.handlers import HANDLERS

pytestmark = pytest.mark.django_db


def hear(topic, order, key=None, **fields):
    """Handle a reply as it comes from Kafka."""
    item = {"productId": "0" * 24, "quantity": 1, "unitPrice": "19.90"}
    data = {"orderId": order, "items": [item], "reason": None, "shortages": [], **fields}
    HANDLERS[STOCK_GROUP][topic](Event(str(ULID()), topic, key or order, 1, "", data))


def events_of(order):
    """(topic, sequence, reason) of the order's events after it was placed."""
    rows = Outbox.objects.filter(aggregate_id=order, sequence__gt=1).order_by("id")
    return [(row.topic, row.sequence, orjson.loads(row.payload)["reason"]) for row in rows]


def test_an_order_whose_stock_is_reserved_is_confirmed(customer, place):
    order = place(customer)
    hear("stock-reserved", order)
    assert customer.get(f"/orders/{order}").json()["status"] == "confirmed"
    assert events_of(order) == [("order-confirmed", 2, None)]
    change = OrderChange.objects.get(order_id=order, to_status="confirmed")
    assert (change.from_status, change.actor, change.reason) == ("pending", "saga", None)


@pytest.mark.parametrize("reason", ["out_of_stock", "price_changed"])
def test_an_order_whose_stock_is_not_reserved_is_rejected_with_the_reason(customer, place, reason):
    order = place(customer)
    hear("stock-rejected", order, reason=reason)
    shown = customer.get(f"/orders/{order}").json()
    assert (shown["status"], shown["reason"]) == ("rejected", reason)
    assert events_of(order) == [("order-rejected", 2, reason)]
    assert OrderChange.objects.get(order_id=order, to_status="rejected").actor == "saga"


def test_an_order_is_rejected_for_a_reason_that_this_version_does_not_know(customer, place):
    order = place(customer)
    hear("stock-rejected", order, reason="in_quarantine")
    shown = customer.get(f"/orders/{order}").json()
    assert (shown["status"], shown["reason"]) == ("rejected", "other")
    assert events_of(order) == [("order-rejected", 2, "other")]


def test_a_repeated_reply_changes_nothing(customer, place):
    for first, again in (("stock-reserved", "stock-rejected"), ("stock-rejected", "stock-reserved")):
        order = place(customer)
        hear(first, order, reason="out_of_stock")
        before = Order.objects.values().get(pk=order)
        for topic in (first, again):
            hear(topic, order, reason="price_changed")
        assert Order.objects.values().get(pk=order) == before
        assert len(events_of(order)) == 1
        assert OrderChange.objects.filter(order_id=order).count() == 2


def test_a_reply_after_the_cancellation_changes_nothing(customer, place):
    order = place(customer)
    customer.send(f"/orders/{order}/cancel", {})
    hear("stock-reserved", order)
    assert events_of(order) == [("order-cancelled", 2, "cancelled_by_customer")]


def test_a_reply_takes_few_statements(customer, place, django_assert_num_queries):
    order = place(customer)
    with django_assert_num_queries(
        8
    ):  # row, lines, update, request, change, event; the test's own SAVEPOINT and RELEASE
        hear("stock-reserved", order)
    with django_assert_num_queries(4):  # row, lines; SAVEPOINT and RELEASE
        hear("stock-reserved", order)


def test_a_reply_to_an_unknown_order_is_dead_lettered(db):
    for topic in ("stock-reserved", "stock-rejected"):
        with pytest.raises(PermanentFailure, match="no such order"):
            hear(topic, str(ULID()), reason="out_of_stock")


@pytest.mark.parametrize(
    "fields",
    [{"orderId": "x"}, {"orderId": None}, {"orderId": str(ULID())}, {"reason": ""}, {"reason": 7}, {"reason": None}],
)
def test_a_malformed_reply_is_dead_lettered_and_changes_nothing(customer, place, fields):
    order = place(customer)
    with pytest.raises(PermanentFailure):
        hear("stock-rejected", order, key=order, **{"reason": "out_of_stock"} | fields)
    assert customer.get(f"/orders/{order}").json()["status"] == "pending"
