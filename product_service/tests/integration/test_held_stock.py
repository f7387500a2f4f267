"""The reservations in force are published, a round a day, and delivered orders close theirs."""

from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from libs.messaging.envelope import Event
from libs.values.times import now
from product_service.events.topics import GROUP
from product_service.queries.stock_audit import find_violations, snapshot
from product_service.store import held_rounds
from product_service.store.documents import db, reservations
from product_service.tests.integration.conftest import HANDLERS
from product_service.use_cases.publish_held_stock import publish_next_page
from product_service.worker.held_stock import make_held_stock


@pytest.fixture(autouse=True)
def _no_other_reservation(app):
    reservations().update_many({"closed_at": None}, {"$set": {"closed_at": now()}})
    db()["outbox"].delete_many({"topic": "stock-held"})
    held_rounds.begin_now()


def handle(topic, order, **data):
    HANDLERS[GROUP][topic](Event(order.id, topic, order.subject, 4, "", {"orderId": order.subject, **data}))


def pages():
    rows = db()["outbox"].find({"topic": "stock-held"}).sort("sequence", 1)
    return [(row["sequence"], row["aggregate_id"], orjson.loads(row["payload"])) for row in rows]


def run_round():
    while publish_next_page(currency="USD"):
        pass
    return [page for _, _, page in pages()]


def test_a_round_has_all_reservations_in_force_and_no_other(make, place, cancel, stock_of):
    product, empty = make(stock=9), make(stock=0)
    kept = place((product["id"], 2, "19.90"), (product["id"], 1, "19.90"))
    released, delivered, _rejected = (
        place((product["id"], 1, "19.90")),
        place((product["id"], 1, "19.90")),
        place((empty["id"], 1, "19.90")),
    )
    cancel(released)
    handle("order-delivered", delivered)
    (page,) = run_round()
    pieces = [{"productId": product["id"], "quantity": 3}]
    assert page["reservations"] == [{"orderId": kept.subject, "items": pieces}]
    assert (page["after"], page["until"]) == (None, None)
    assert stock_of(product["id"]) == 5


def test_the_pages_of_a_round_follow_each_other(make, place, monkeypatch):
    monkeypatch.setattr("product_service.domain.held_page.MAX_RESERVATIONS", 2)
    product = make(stock=9)
    orders = sorted(place((product["id"], 1, "19.90")).subject for _ in range(5))
    found = run_round()
    assert [[row["orderId"] for row in page["reservations"]] for page in found] == [orders[:2], orders[2:4], orders[4:]]
    assert [(page["after"], page["until"]) for page in found] == [
        (None, orders[1]),
        (orders[1], orders[3]),
        (orders[3], None),
    ]
    assert len({page["round"] for page in found}) == 1
    numbers = [sequence for sequence, _, _ in pages()]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    assert {key for _, key, _ in pages()} == {"stock-held"}


def test_a_round_is_due_once_a_day(app):
    assert len(run_round()) == 1
    assert publish_next_page(currency="USD") is False
    row = db()["held_rounds"].find_one()
    assert (row["due_at"] - row["as_of"]).total_seconds() == pytest.approx(24 * 3600, abs=60)
    held_rounds.ensure()  # the indexes command runs at each start of the shop
    assert publish_next_page(currency="USD") is False
    held_rounds.begin_now()
    rounds = {page["round"] for page in run_round()}
    assert len(rounds) == 2


def test_several_workers_publish_each_page_once(make, place, monkeypatch):
    monkeypatch.setattr("product_service.domain.held_page.MAX_RESERVATIONS", 1)
    product = make(stock=9)
    orders = sorted(place((product["id"], 1, "19.90")).subject for _ in range(4))

    def work(_):
        while publish_next_page(currency="USD"):
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert [page["reservations"][0]["orderId"] for _, _, page in pages()] == orders


def test_the_task_counts_its_pages(app):
    task = make_held_stock("USD")
    task._run_once()
    task._run_once()
    assert task.status() == {"pages": 1}


def test_a_delivery_changes_no_stock_and_a_later_cancellation_gives_nothing_back(make, place, cancel, moved):
    product = make(stock=7)
    order = place((product["id"], 3, "19.90"))
    for _ in range(2):
        handle("order-delivered", order)
    closed = reservations().find_one({"_id": order.subject})
    assert (closed["state"], "closed_at" in closed, moved(product["id"])) == ("RESERVED", True, [7, -3])
    cancel(order)
    assert moved(product["id"]) == [7, -3]
    with snapshot() as moment:
        assert [text for text in find_violations(moment) if order.subject in text] == []


def test_a_delivery_of_an_unknown_or_released_order_changes_nothing(make, place, cancel, moved):
    product = make(stock=7)
    order = place((product["id"], 3, "19.90"))
    cancel(order)
    before = reservations().find_one({"_id": order.subject})
    handle("order-delivered", order)
    assert reservations().find_one({"_id": order.subject}) == before
    reservations().delete_one({"_id": order.subject})
    handle("order-delivered", order)
    assert reservations().find_one({"_id": order.subject}) is None


@pytest.mark.parametrize(("delivered", "left"), [(False, [7, -3, 3]), (True, [7, -3])])
def test_a_requested_release_gives_back_what_was_not_delivered(make, place, moved, pending, delivered, left):
    product = make(stock=7)
    order = place((product["id"], 3, "19.90"))
    for _ in range(2):
        handle("stock-release-requested", order, delivered=delivered)
    assert moved(product["id"]) == left
    topics = [row["topic"] for row in pending(order.subject)]
    assert topics == ["stock-reserved"] + ([] if delivered else ["stock-released"])
    assert run_round()[0]["reservations"] == []


def test_a_round_reads_by_an_index(app):
    plan = (
        reservations()
        .find({"state": "RESERVED", "closed_at": None, "_id": {"$gt": "01K"}})
        .sort("_id", 1)
        .hint("in_force")
        .explain()
    )
    winner = str(plan["queryPlanner"]["winningPlan"])
    assert "'indexName': 'in_force'" in winner
    assert "SORT'" not in winner
