"""Many replies of product_service in one transaction have the effect that they have one by one."""

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import orjson
import pytest
from django.db import OperationalError, connection, transaction
from ulid import ULID

from libs.messaging.envelope import Event
from libs.runtime.telemetry.trace_context import TraceContext
from order_service.events.topics import CATALOGUE_GROUP, MAILS_GROUP, STOCK_GROUP, USERS_GROUP
from order_service.store.models import (
    CatalogueProduct,
    Order,
    OrderChange,
    Outbox,
    ReleaseRequest,
    ReservationRequest,
    RevocationRow,
    SentMail,
)
from order_service.store.order_tables import order_batches
from order_service.store.outbox import outbox
from order_service.worker.handlers import BATCHES, NO_ORDER, weigh_account

pytestmark = pytest.mark.django_db
DEADLINE_SECONDS = 20


def event(topic, key, **data):
    return Event(str(ULID()), topic, key, 1, "2026-01-31T12:00:00.000Z", data)


def reply(topic, order, **fields):
    item = {"productId": "0" * 24, "quantity": 1, "unitPrice": "19.90"}
    return event(topic, order, **{"orderId": order, "items": [item], "reason": None, "shortages": []} | fields)


def short(order, product):
    shortage = {"productId": product, "wanted": 1, "available": 0}
    return reply("stock-rejected", order, reason="out_of_stock", shortages=[shortage])


def statuses(orders):
    found = dict(Order.objects.filter(id__in=orders).values_list("id", "status"))
    return [found[order] for order in orders]


def test_each_order_of_a_batch_gets_its_status_change_and_event(customer, place, sell):
    product, other = sell(), sell()
    orders = [place(customer, product), place(customer, product), place(customer, other), place(customer, other)]
    changed = reply("stock-rejected", orders[3], reason="price_changed", prices=[{"productId": other, "price": "2.00"}])
    refused = BATCHES[STOCK_GROUP](
        [*(reply("stock-reserved", orders[0]), short(orders[1], product), short(orders[2], other), changed)]
    )
    assert refused == {}
    assert statuses(orders) == ["confirmed", "rejected", "rejected", "rejected"]
    shown = [customer.get(f"/orders/{order}").json() for order in orders]
    assert [(one.get("reason"), one["status"]) for one in shown[:2]] == [
        (None, "confirmed"),
        ("out_of_stock", "rejected"),
    ]
    rejections = dict(Order.objects.values_list("id", "rejection"))
    assert [rejections[order] for order in orders] == [
        None,
        {"shortages": [{"productId": product, "wanted": 1, "available": 0}]},
        {"shortages": [{"productId": other, "wanted": 1, "available": 0}]},
        {"prices": [{"productId": other, "price": "2.00"}]},
    ]
    events = Outbox.objects.filter(sequence=2).order_by("id").values_list("aggregate_id", "topic")
    assert list(events) == list(zip(orders, ["order-confirmed", *["order-rejected"] * 3], strict=True))
    changes = OrderChange.objects.exclude(from_status=None).order_by("id")
    assert [(c.order_id, c.from_status, c.to_status, c.actor) for c in changes] == [
        (order, "pending", status, "saga") for order, status in zip(orders, statuses(orders), strict=True)
    ]
    assert not ReservationRequest.objects.exists()
    assert set(Order.objects.values_list("sequence", flat=True)) == {2}
    times = {orjson.loads(row.payload)["timestamp"] for row in Outbox.objects.filter(sequence=2)}
    assert len(times) == 1


def test_the_first_reply_to_an_order_counts_and_repetitions_change_nothing(customer, place, sell):
    product = sell()
    first, second = place(customer, product), place(customer, product)
    batch = [reply("stock-reserved", first), short(first, product), short(second, product)]
    batch += [reply("stock-reserved", second), batch[0]]
    for _ in range(2):
        assert BATCHES[STOCK_GROUP](batch) == {}
        assert statuses([first, second]) == ["confirmed", "rejected"]
        assert Outbox.objects.filter(sequence__gt=1).count() == 2


def test_unknown_and_malformed_replies_are_refused_and_the_others_are_stored(customer, place):
    order, nowhere = place(customer), str(ULID())
    unknown, odd = (
        reply("stock-reserved", nowhere),
        reply("stock-rejected", order, reason="out_of_stock", shortages="because"),
    )
    other_key = reply("stock-reserved", order)
    other_key = Event(other_key.id, other_key.type, "b", 1, "", other_key.data)
    refused = BATCHES[STOCK_GROUP]([unknown, odd, other_key, reply("stock-reserved", order)])
    assert set(refused) == {unknown.id, odd.id, other_key.id}
    assert refused[unknown.id] == NO_ORDER
    assert "shortages" in refused[odd.id]
    assert "because" not in refused[odd.id]
    assert statuses([order]) == ["confirmed"]


def test_replies_to_cancellations_belong_to_the_same_batch(customer, place):
    kept, cancelled = place(customer), place(customer)
    assert customer.send(f"/orders/{cancelled}/cancel", {}).status_code == 200
    assert ReleaseRequest.objects.count() == 1
    released = event("stock-released", cancelled, orderId=cancelled, items=[])
    assert BATCHES[STOCK_GROUP]([reply("stock-reserved", cancelled), reply("stock-reserved", kept), released]) == {}
    assert statuses([kept, cancelled]) == ["confirmed", "cancelled"]
    assert not ReleaseRequest.objects.exists()


def test_a_hundred_replies_take_a_few_statements(customer, place, sell, django_assert_num_queries):
    product = sell()
    orders = [place(customer, product) for _ in range(100)]
    batch = [reply("stock-reserved", order) for order in orders]
    with django_assert_num_queries(
        8
    ):  # rows, lines, update, requests, changes, events; the test's SAVEPOINT and RELEASE
        BATCHES[STOCK_GROUP](batch)
    with django_assert_num_queries(4):
        BATCHES[STOCK_GROUP](batch)
    assert set(statuses(orders)) == {"confirmed"}


def test_a_batch_that_fails_halfway_leaves_nothing_and_can_be_repeated(customer, place, monkeypatch):
    orders = [place(customer) for _ in range(5)]
    batch = [reply("stock-reserved", order) for order in orders]

    def fail(_numbered):
        raise RuntimeError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(order_batches.outbox, "add_all", fail)
        with pytest.raises(RuntimeError, match="killed here"):
            BATCHES[STOCK_GROUP](batch)
    assert set(statuses(orders)) == {"pending"}
    assert ReservationRequest.objects.count() == 5
    BATCHES[STOCK_GROUP](batch)
    assert set(statuses(orders)) == {"confirmed"}
    assert Outbox.objects.filter(sequence=2).count() == 5


@pytest.mark.django_db(transaction=True)
def test_batches_beside_the_relay_and_cancellations_lose_nothing(customer, place, sell):
    """Events and changes agree with the statuses, in whichever order they came. A consumer would repeat a deadlock."""
    product = sell()
    orders = [place(customer, product) for _ in range(120)]
    stop, conflicts = threading.Event(), []

    def relay():
        while not stop.is_set() or outbox.pending(200):
            outbox.delete(outbox.pending(200))
        connection.close()

    def confirm(some):
        batch = [reply("stock-reserved", order) for order in some]
        while True:
            try:
                BATCHES[STOCK_GROUP](batch)
                break
            except OperationalError as error:
                conflicts.append(error.args[0])
        connection.close()

    def cancel():
        for order in orders[::3]:
            customer.send(f"/orders/{order}/cancel", {})
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        relaying = pool.submit(relay)
        works = [pool.submit(cancel), pool.submit(confirm, orders[:70]), pool.submit(confirm, orders[50:])]
        for work in works:
            work.result(60)
        stop.set()
        relaying.result(60)
    assert set(conflicts) <= {1205, 1213}
    found = dict(Order.objects.values_list("id", "status"))
    assert set(found.values()) <= {"confirmed", "cancelled"}
    for order in orders:
        path = list(OrderChange.objects.filter(order_id=order).order_by("id").values_list("from_status", "to_status"))
        assert [before for before, _ in path[1:]] == [after for _, after in path[:-1]]
        assert path[-1][1] == found[order]
        assert Order.objects.get(id=order).sequence == len(path)
    assert not ReservationRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_rows_are_locked_before_they_are_judged(customer, place):
    """A cancellation that holds the row is waited for; then the order is not pending any more."""
    order = place(customer)
    locked, commit = threading.Event(), threading.Event()

    def cancel():
        with transaction.atomic():
            Order.objects.filter(id=order).update(status="cancelled", sequence=2)
            locked.set()
            commit.wait(DEADLINE_SECONDS)
        connection.close()

    def confirm():
        try:
            return BATCHES[STOCK_GROUP]([reply("stock-reserved", order)])
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        cancelling = pool.submit(cancel)
        assert locked.wait(DEADLINE_SECONDS)
        confirming = pool.submit(confirm)
        commit.set()
        assert confirming.result(DEADLINE_SECONDS) == {}
        cancelling.result(DEADLINE_SECONDS)
    assert statuses([order]) == ["cancelled"]
    assert not Outbox.objects.filter(topic="order-confirmed").exists()


def product(product_id, version, **fields):
    data = {"id": product_id, "name": f"Lamp {version} é", "price": "19.90", "currency": "USD", "active": True}
    data |= {"version": version, "updatedAt": "2026-01-31T12:00:00.250Z"}
    return event("product-updated", product_id, **data | fields)


def test_a_batch_of_products_is_one_statement_and_the_newest_version_wins(django_assert_num_queries):
    one, two, three = (secrets.token_hex(12) for _ in range(3))
    first = [product(one, 5), product(two, 1), product(two, 2, price="7.00"), product(one, 4), product(three, 1)]
    with django_assert_num_queries(1):
        assert BATCHES[CATALOGUE_GROUP](first) == {}
    bad = product(two, 3, price="much")
    again = [product(one, 4, name="old"), product(three, 2, active=False), bad, product(two, 2, price="8.00")]
    with django_assert_num_queries(1):
        assert set(BATCHES[CATALOGUE_GROUP](again)) == {bad.id}
    rows = {row.product_id: row for row in CatalogueProduct.objects.all()}
    assert [(rows[i].name, str(rows[i].price), rows[i].active, rows[i].version) for i in (one, two, three)] == [
        ("Lamp 5 é", "19.90", True, 5),
        ("Lamp 2 é", "8.00", True, 2),
        ("Lamp 2 é", "19.90", False, 2),
    ]
    assert rows[one].updated_at.isoformat() == "2026-01-31T12:00:00.250000+00:00"


def mail(outcome="sent", order=None, mailed=None):
    data = {"kind": "order-placed", "orderId": order, "sentAt": "2026-01-31T12:00:00.250Z", "outcome": outcome}
    return event("mail-sent", mailed or str(ULID()), **data)


def test_records_of_mails_are_one_statement(django_assert_num_queries):
    order, mailed = str(ULID()), str(ULID())
    odd = mail(order="x")
    batch = [mail("suppressed", order, mailed), mail(), odd, mail("sent", order, mailed), mail("sent", order)]
    for _ in range(2):
        with django_assert_num_queries(1):
            assert set(BATCHES[MAILS_GROUP](batch)) == {odd.id}
    assert dict(SentMail.objects.values_list("event_id", "outcome")) == {mailed: "sent", batch[4].subject: "sent"}


def test_revocations_are_stored_once(django_assert_num_queries):
    user, other = secrets.token_hex(12), secrets.token_hex(12)
    batch = [
        event("user-revocations", who, userId=who, sid=sid, notBefore=at)
        for who, sid, at in [(user, None, 5), (user, "s", 5), (other, None, 6), (user, None, 5)]
    ]
    BATCHES[USERS_GROUP](batch)
    with django_assert_num_queries(3):  # what is known; the test's SAVEPOINT and RELEASE
        BATCHES[USERS_GROUP](batch)
    assert RevocationRow.objects.count() == 3


def test_a_deletion_is_a_batch_alone():
    user = secrets.token_hex(12)
    assert weigh_account(event("user-deleted", user, id=user)) == 500
    assert weigh_account(event("user-updated", user, id=user)) == 1


def test_each_event_of_a_batch_has_the_trace_of_its_reply(customer, place, sell):
    product = sell()
    orders = [place(customer, product), place(customer, product)]
    traces = [TraceContext(f"{number:032x}", "00f067aa0ba902b7") for number in (1, 2)]
    replies = [reply("stock-reserved", orders[0]), short(orders[1], product)]
    BATCHES[STOCK_GROUP]([replace(one, trace=trace) for one, trace in zip(replies, traces, strict=True)])
    rows = Outbox.objects.filter(aggregate_id__in=orders, topic__in=["order-confirmed", "order-rejected"])
    found = {row.aggregate_id: orjson.loads(row.headers)["traceparent"] for row in rows}
    assert found == {order: trace.traceparent for order, trace in zip(orders, traces, strict=True)}


def test_a_recorded_mail_has_the_trace_of_its_event(customer, place, sell):
    order, trace = place(customer, sell()), TraceContext("1" * 32, "00f067aa0ba902b7")
    mail = event(
        "mail-sent", str(ULID()), kind="order-placed", orderId=order, sentAt="2026-01-31T12:00:00.000Z", outcome="sent"
    )
    BATCHES[MAILS_GROUP]([replace(mail, trace=trace)])
    assert SentMail.objects.get(order_id=order).trace_id == trace.trace_id
