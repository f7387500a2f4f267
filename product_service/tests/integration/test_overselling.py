"""One product in high demand: no piece is sold twice or lost, whatever comes at once, twice, or in any order."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from product_service.commands.check_stock import check_stock
from product_service.events.topics import GROUP
from product_service.store.documents import db, reservations
from product_service.tests.integration.conftest import HANDLERS, order_event


def handle(event):
    HANDLERS[GROUP][event.type](event)


def states_of(orders):
    found = reservations().find({"_id": {"$in": [order.subject for order in orders]}})
    return Counter(reservation["state"] for reservation in found)


def test_of_500_orders_that_each_come_twice_exactly_100_get_the_100_pieces(make, stock_of, moved):
    product = make(stock=100)
    orders = [order_event("order-placed", [(product["id"], 1, "19.90")]) for _ in range(500)]
    for order in random.sample(orders * 2, 1000):
        handle(order)
    assert states_of(orders) == {"RESERVED": 100, "REJECTED": 400}
    assert stock_of(product["id"]) == 0
    assert moved(product["id"]) == [100] + [-1] * 100
    rows = db()["outbox"].find({"aggregate_id": {"$in": [order.subject for order in orders]}})
    assert Counter(row["topic"] for row in rows) == {"stock-reserved": 100, "stock-rejected": 400}


def test_writers_at_once_oversell_nothing_while_staff_change_the_stock(app, staff, make, stock_of, moved, capsys):
    product = make(stock=100)
    orders = [order_event("order-placed", [(product["id"], 1, "19.90")]) for _ in range(300)]

    def change(number):
        body = {"delta": 1 if number % 2 else -1, "reason": "counted"}
        answer = app.test_client().post(f"/products/{product['id']}/stock", json=body, headers=staff)
        return body["delta"] if answer.status_code == 200 else 0

    with ThreadPoolExecutor(3) as pool:  # two owners of the partition for a moment, and staff
        writers = [pool.submit(lambda: [handle(order) for order in orders]) for _ in range(2)]
        changed = pool.submit(lambda: sum(change(number) for number in range(200))).result()
        for writer in writers:
            writer.result()
    states = states_of(orders)
    assert states.total() == 300
    assert stock_of(product["id"]) == 100 + changed - states["RESERVED"]
    assert sum(moved(product["id"])) == stock_of(product["id"])
    assert check_stock() == 0, capsys.readouterr().out


def test_staff_set_price_and_stock_of_a_product_while_orders_take_pieces(app, staff, make, stock_of, moved):
    product = make(stock=1000)
    orders = [order_event("order-placed", [(product["id"], 1, "19.90")]) for _ in range(150)]

    def change(number):
        body = {"stock": 1000 + number} if number % 2 else {"price": f"{number + 1}.00"}
        return app.test_client().patch(f"/products/{product['id']}", json=body, headers=staff)

    with ThreadPoolExecutor(2) as pool:
        writer = pool.submit(lambda: [handle(order) for order in orders])
        changed = pool.submit(lambda: [change(number) for number in range(30)]).result()
        writer.result()
    assert [answer.status_code for answer in changed] == [200] * 30
    assert [answer.json["version"] for answer in changed] == [2 + number // 2 for number in range(30)]
    assert [answer.json["stock"] for answer in changed[1::2]] == [1000 + number for number in range(1, 30, 2)]
    assert moved(product["id"]).count(-1) == states_of(orders)["RESERVED"]


@pytest.mark.parametrize("seed", range(3))
def test_orders_and_cancellations_in_any_order_and_twice_leave_what_is_reserved(make, place, stock_of, moved, seed):
    product, chance = make(stock=30), random.Random(seed)
    orders = [order_event("order-placed", [(product["id"], chance.randint(1, 3), "19.90")]) for _ in range(40)]
    cancelled = [
        type(order)(**{**vars(order), "type": "order-cancelled", "sequence": 2}) for order in chance.sample(orders, 20)
    ]
    for event in chance.sample((orders + cancelled) * 2, 120):
        handle(event)
    ended = states_of(cancelled)
    assert ended["RESERVED"] == 0
    held = [
        item["quantity"]
        for reservation in reservations().find({"_id": {"$in": [o.subject for o in orders]}, "state": "RESERVED"})
        for item in reservation["items"]
    ]
    assert stock_of(product["id"]) == 30 - sum(held)
    assert sum(moved(product["id"])) == 30 - sum(held)


def test_an_order_and_its_cancellation_at_once_leave_nothing_reserved(make, stock_of):
    product = make(stock=50)
    for _ in range(20):
        order = order_event("order-placed", [(product["id"], 2, "19.90")])
        cancelled = type(order)(**{**vars(order), "type": "order-cancelled"})
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(handle, order), pool.submit(handle, cancelled)]:
                done.result()
        assert states_of([order]) == {"RELEASED": 1}
    assert stock_of(product["id"]) == 50
