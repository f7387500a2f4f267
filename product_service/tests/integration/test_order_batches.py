"""Orders that are decided many at once get what they get one by one, whatever comes twice, is cancelled or fails."""

import random
from collections import Counter, defaultdict
from dataclasses import replace

import orjson
import pymongo
import pytest
from bson import ObjectId
from pymongo.errors import PyMongoError
from ulid import ULID

from libs.mongo_store.wait_listener import CommandWaits
from libs.runtime.telemetry.trace_context import TraceContext
from product_service import store
from product_service.commands.check_stock import check_stock
from product_service.domain.order_batch import CancelledOrder
from product_service.events.topics import GROUP, USERS_GROUP
from product_service.store.documents import db, movements, products, reservations
from product_service.tests.integration.conftest import HANDLERS, order_event
from product_service.use_cases.decide_orders import decide_orders
from product_service.worker.handlers import make_batches, weigh_order

BATCHES = make_batches("USD")


def ending(order, kind):
    return replace(order, id=str(ULID()), type=f"order-{kind}", sequence=2, data={"orderId": order.subject})


def cancellation(order):
    return ending(order, "cancelled")


def in_batches(events, size):
    for start in range(0, len(events), size):
        assert BATCHES[GROUP](events[start : start + size]) == {}


def one_by_one(events):
    for event in events:
        HANDLERS[GROUP][event.type](event)


def result(orders, names):
    """What the orders got: states, counts and replies in order, with the names of products instead of their ids."""
    found, position = [], {order.subject: number for number, order in enumerate(orders)}
    for row in reservations().find({"_id": {"$in": list(position)}}):
        items = [(names[str(item["product"])], item["quantity"]) for item in row["items"]]
        is_closed = row.get("closed_at") is not None
        answer = row["answer"]["sequence"], row["answer"]["topic"]
        found.append((position[row["_id"]], row["state"], is_closed, items, *answer))
    replies = defaultdict(list)
    for row in db()["outbox"].find({"aggregate_id": {"$in": list(position)}}).sort("sequence", 1):
        text = row["payload"].replace(row["aggregate_id"], "order")
        for product_id, name in names.items():
            text = text.replace(product_id, name)
        replies[position[row["aggregate_id"]]].append((row["sequence"], row["topic"], orjson.loads(text)))
    return sorted(found), dict(sorted(replies.items()))


def stock_and_movements(product_ids):
    rows = [products().find_one({"_id": ObjectId(product_id)}) for product_id in product_ids]
    moved = [
        [(one["delta"], one["reason"]) for one in movements().find({"product": row["_id"]}).sort("_id", 1)]
        for row in rows
    ]
    assert [sum(delta for delta, _ in one) for one in moved] == [row["stock"] for row in rows]
    return [row["stock"] for row in rows], [Counter(one) for one in moved]


def test_500_orders_of_hot_products_get_what_they_get_one_by_one(make):
    """Copies, cancellations before and after the order, shortages, wrong prices. The second half meets what the first stored."""
    chance, sides = random.Random(7), []
    made = [[make(stock=stock)["id"] for stock in (225, 30, 10)] for _ in range(2)]
    plan = [(chance.choices((0, 1, 2), (8, 2, 1))[0], chance.randint(1, 3), chance.random() < 0.03) for _ in range(500)]
    steps = [("placed", number) for number in range(500)]
    steps += [("placed", chance.randrange(500)) for _ in range(75)]
    steps += [("cancelled", chance.randrange(500)) for _ in range(100)]
    steps += [("delivered", chance.randrange(500)) for _ in range(50)]
    chance.shuffle(steps)
    for product_ids in made:
        orders = [
            order_event("order-placed", [(product_ids[which], quantity, "18.00" if wrong else "19.90")])
            for which, quantity, wrong in plan
        ]
        sides.append((orders, [orders[n] if kind == "placed" else ending(orders[n], kind) for kind, n in steps]))
    in_batches(sides[0][1], 100)
    one_by_one(sides[1][1])
    names = [dict(zip(product_ids, "abc", strict=True)) for product_ids in made]
    assert result(sides[0][0], names[0]) == result(sides[1][0], names[1])
    assert stock_and_movements(made[0]) == stock_and_movements(made[1])
    before = result(sides[0][0], names[0]), stock_and_movements(made[0])
    # Again, cut in other places. A delivery that came before its order is left out: it would find the order now.
    in_batches([event for event in sides[0][1] if event.type != "order-delivered"], 64)
    assert (result(sides[0][0], names[0]), stock_and_movements(made[0])) == before
    assert check_stock() == 0


def test_a_reply_is_repeated_once_the_relay_has_published_it(make, pending):
    product = make(stock=5)
    orders = [order_event("order-placed", [(product["id"], 1, "19.90")]) for _ in range(6)]
    in_batches(orders, 6)
    first = [pending(order.subject) for order in orders]
    in_batches([*orders, *orders], 12)
    assert [pending(order.subject) for order in orders] == first
    db()["outbox"].delete_many({"aggregate_id": {"$in": [order.subject for order in orders[:3]]}})
    in_batches([*orders, *orders], 12)
    again = [pending(order.subject) for order in orders]
    assert [[{**row, "created_at": 0} for row in rows] for rows in again] == [
        [{**row, "created_at": 0} for row in rows] for rows in first
    ]


def test_an_order_that_comes_again_and_is_cancelled_in_one_batch_gets_both_replies_in_order(make, pending, stock_of):
    product = make(stock=5)
    order = order_event("order-placed", [(product["id"], 2, "19.90")])
    in_batches([order], 1)
    db()["outbox"].delete_many({"aggregate_id": order.subject})
    in_batches([order, cancellation(order), cancellation(order), order], 4)
    assert [(row["sequence"], row["topic"]) for row in pending(order.subject)] == [
        (1, "stock-reserved"),
        (2, "stock-released"),
    ]
    assert stock_of(product["id"]) == 5


def test_malformed_orders_are_refused_and_the_others_are_decided(make, stock_of):
    product = make(stock=5)
    good = order_event("order-placed", [(product["id"], 1, "19.90")])
    odd = order_event("order-placed", [(product["id"], 0, "19.90")])
    other_key = replace(good, id=str(ULID()), subject=str(ULID()))
    assert set(BATCHES[GROUP]([odd, good, other_key])) == {odd.id, other_key.id}
    assert stock_of(product["id"]) == 4


@pytest.mark.parametrize("step", ["products.claim", "products.apply_movements", "reservations.write"])
def test_a_batch_that_fails_halfway_leaves_nothing_and_can_be_repeated(make, pending, moved, monkeypatch, step):
    product = make(stock=5)
    orders = [order_event("order-placed", [(product["id"], 1, "19.90")]) for _ in range(8)]
    module, name = step.split(".")
    real = getattr(getattr(store, module), name)

    def then_fail(*arguments, **options):
        real(*arguments, **options)
        raise RuntimeError("failed here")

    with monkeypatch.context() as patch:
        patch.setattr(f"product_service.store.{step}", then_fail)
        with pytest.raises(RuntimeError, match="failed here"):
            BATCHES[GROUP](orders)
    assert moved(product["id"]) == [5]
    assert [pending(order.subject) for order in orders] == [[]] * 8
    in_batches(orders, 8)
    assert moved(product["id"]) == [5] + [-1] * 5


def test_the_products_are_claimed_before_they_are_judged(make, stock_of, monkeypatch):
    """Another writer that comes after the claim waits or tries again; it can not come between judgement and commit."""
    product = make(stock=3)
    orders = [order_event("order-placed", [(product["id"], 1, "19.90")]) for _ in range(3)]
    real, failures = store.products.claim, []

    def write_beside():
        with pymongo.timeout(0.3):  # a write beside a transaction waits for its end
            products().update_one({"_id": ObjectId(product["id"])}, {"$inc": {"stock": -3}})

    def claim_slowly(*arguments, **options):
        found = real(*arguments, **options)
        with pytest.raises(PyMongoError) as failed:
            write_beside()
        assert failed.value.timeout
        failures.append("the other writer had to wait")
        return found

    monkeypatch.setattr("product_service.store.products.claim", claim_slowly)
    in_batches(orders, 3)
    assert failures == ["the other writer had to wait"]
    assert stock_of(product["id"]) == 0


def test_orders_that_only_come_again_claim_nothing(make):
    product = make(stock=1)
    orders = [order_event("order-placed", [(product["id"], 1, "19.90")]) for _ in range(3)]
    in_batches([*orders, cancellation(orders[1])], 4)
    before = products().find_one({"_id": ObjectId(product["id"])})
    in_batches([*orders, cancellation(orders[1])], 4)
    assert products().find_one({"_id": ObjectId(product["id"])}) == before


def test_a_claim_is_seen_by_no_client(client, make):
    product = make(stock=5)
    in_batches([order_event("order-placed", [(product["id"], 1, "19.90")])], 1)
    assert "claim" in products().find_one({"_id": ObjectId(product["id"])})
    assert client.get(f"/products/{product['id']}").json == product | {"stock": 4}


@pytest.mark.parametrize("step", ["find_many", "write"])
def test_an_order_that_another_member_decides_at_the_same_time_is_read_again(make, stock_of, monkeypatch, step):
    """The cancellation of an order that was unknown when it was read, and is reserved before the cancellation is stored."""
    product = make(stock=5)
    order = order_event("order-placed", [(product["id"], 2, "19.90")])
    real, calls = getattr(store.reservations, step), []

    def reserve_beside(*arguments, **options):
        calls.append(step)
        found = real(*arguments, **options) if step == "find_many" else None
        if len(calls) == 1:
            with monkeypatch.context() as rival:
                rival.setattr(f"product_service.store.reservations.{step}", real)
                in_batches([order], 1)
        return found if step == "find_many" else real(*arguments, **options)

    monkeypatch.setattr(f"product_service.store.reservations.{step}", reserve_beside)
    assert decide_orders([CancelledOrder(order_id=order.subject)], currency="USD")
    assert len(calls) == 2
    assert stock_of(product["id"]) == 5


@pytest.mark.parametrize("change", [{"$inc": {"stock": -3}}, {"$set": {"active": False}}])
def test_a_product_that_changes_between_the_reading_of_the_order_and_the_claim_is_judged_as_it_is(
    make, pending, stock_of, monkeypatch, change
):
    product = make(stock=3)
    order = order_event("order-placed", [(product["id"], 1, "19.90")])
    real, calls = store.reservations.find_many, []

    def change_beside(*arguments, **options):
        found = real(*arguments, **options)
        calls.append(found)
        if len(calls) == 1:
            products().update_one({"_id": ObjectId(product["id"])}, change)
        return found

    monkeypatch.setattr("product_service.store.reservations.find_many", change_beside)
    in_batches([order], 1)
    assert len(calls) == 2  # the first try met a write conflict
    assert [row["topic"] for row in pending(order.subject)] == ["stock-rejected"]
    assert stock_of(product["id"]) == (0 if "$inc" in change else 3)
    if "$inc" in change:  # no movement says so, and other tests check all products
        products().update_one({"_id": ObjectId(product["id"])}, {"$inc": {"stock": 3}})


def test_a_lone_order_of_one_product_costs_six_commands_and_the_commit(make, monkeypatch):
    product, commands = make(stock=5), []
    order = order_event("order-placed", [(product["id"], 1, "19.90")])
    real = CommandWaits.started

    def count(self, event):
        commands.append(event.command_name)
        real(self, event)

    monkeypatch.setattr(CommandWaits, "started", count)
    in_batches([order], 1)
    assert commands == ["find", "findAndModify", "update", "insert", "insert", "insert", "commitTransaction"]


def test_an_order_weighs_its_lines():
    line = ("a" * 24, 1, "1.00")
    assert weigh_order(order_event("order-placed", [line] * 7)) == 7
    assert weigh_order(replace(order_event("order-placed", [line]), data={"items": "x"})) == 1
    assert weigh_order(replace(order_event("order-cancelled", [line]), data={})) == 1


def test_revocations_of_a_batch_are_stored_once(app):
    user = str(ObjectId())
    event = order_event("user-revocations", [("a" * 24, 1, "1.00")])
    batch = [
        replace(event, id=str(ULID()), subject=user, data={"userId": user, "sid": sid, "notBefore": 5})
        for sid in (None, "s", None)
    ]
    for _ in range(2):
        assert BATCHES[USERS_GROUP](batch) == {}
    assert db()["revocations"].count_documents({"user_id": user}) == 2


def test_each_reply_of_a_batch_has_the_trace_of_its_event(make):
    product = make(stock=5)["id"]
    first, second = (order_event("order-placed", [(product, 1, "19.90")]) for _ in range(2))
    events = [first, second, cancellation(first)]
    traces = [TraceContext(f"{number:032x}", "00f067aa0ba902b7") for number in (1, 2, 3)]
    in_batches([replace(event, trace=trace) for event, trace in zip(events, traces, strict=True)], 3)
    rows = db()["outbox"].find({"aggregate_id": {"$in": [first.subject, second.subject]}})
    found = {(row["aggregate_id"], row["topic"]): orjson.loads(row["headers"])["traceparent"] for row in rows}
    assert found == {
        (first.subject, "stock-reserved"): traces[0].traceparent,
        (second.subject, "stock-reserved"): traces[1].traceparent,
        (first.subject, "stock-released"): traces[2].traceparent,
    }
