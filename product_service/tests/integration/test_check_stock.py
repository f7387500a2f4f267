"""check-stock finds each kind of damage, and reports none in a sound shop."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
from bson import ObjectId

from product_service.commands.check_stock import check_stock
from product_service.store.documents import movements, products, reservations
from product_service.tests.integration.conftest import order_event


@pytest.fixture
def violations(capsys):
    """`violations(text)`: the exit status of a check, and the lines that name `text`."""

    def run(text):
        capsys.readouterr()
        status = check_stock()
        return status, [line for line in capsys.readouterr().out.splitlines() if text in line]

    return run


@pytest.fixture
def order(make, place):
    product = make(stock=7)
    return place((product["id"], 3, "19.90"))


def product_of(order):
    return order.data["items"][0]["productId"]


def test_a_sound_shop_passes(make, place, cancel, order, violations):
    cancel(place((product_of(order), 2, "19.90")))
    place((product_of(order), 99, "19.90"))
    cancel(order_event("order-placed", [(product_of(order), 1, "19.90")]))
    status, (summary,) = violations("violations")
    assert status == 0
    assert summary == (
        f"{products().count_documents({})} products, {reservations().count_documents({})} reservations: 0 violations"
    )


def test_stock_that_is_not_the_sum_of_its_movements_is_found(order, violations):
    key = {"_id": ObjectId(product_of(order))}
    products().update_one(key, {"$inc": {"stock": 1}})
    line = f"product {product_of(order)}: stock 5, but its movements sum to 4"
    assert violations(product_of(order)) == (1, [line])
    products().update_one(key, {"$inc": {"stock": -1}})


def test_movements_of_no_product_are_found(app, violations):
    product = ObjectId()
    movements().insert_one({"product": product, "delta": 3, "reason": "x"})
    assert violations(str(product)) == (1, [f"product {product}: has movements, but does not exist"])
    movements().delete_one({"product": product})


@pytest.mark.parametrize("state", ["RELEASED", "REJECTED"])
def test_a_closed_order_that_holds_stock_is_found(order, violations, state):
    reservations().update_one({"_id": order.subject}, {"$set": {"state": state}})
    line = f"order {order.subject}: {state}, holds 3 of {product_of(order)} but should hold nothing"
    assert violations(order.subject) == (1, [line])
    reservations().update_one({"_id": order.subject}, {"$set": {"state": "RESERVED"}})


def test_a_reserved_order_that_holds_something_else_is_found(order, violations):
    reservations().update_one({"_id": order.subject}, {"$set": {"items.0.quantity": 4}})
    status, (line,) = violations(order.subject)
    assert (status, line.partition(", ")[2]) == (
        1,
        f"holds 3 of {product_of(order)} but should hold 4 of {product_of(order)}",
    )
    reservations().update_one({"_id": order.subject}, {"$set": {"items.0.quantity": 3}})


def test_stock_held_for_an_unknown_order_is_found(order, violations):
    kept = reservations().find_one_and_delete({"_id": order.subject})
    line = f"order {order.subject}: without a reservation, holds 3 of {product_of(order)} but should hold nothing"
    assert violations(order.subject) == (1, [line])
    reservations().insert_one(kept)


def test_a_check_under_load_sees_one_moment(make, place, cancel, violations):
    product = make(stock=1000)

    def shop(_number):
        order = place((product["id"], random_quantity(), "19.90"))
        cancel(order)

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(shop, number) for number in range(100)]
        statuses = [violations(":")[0] for _ in range(10)]
        assert not all(future.done() for future in running)
        for future in running:
            future.result()
    assert statuses == [0] * 10


def random_quantity():
    return 1 + secrets.randbelow(3)
