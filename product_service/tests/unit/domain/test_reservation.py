"""Decisions about orders, one after another and without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.values.money import Money
from product_service.domain.price_history import PRICE_AGE
from product_service.domain.product import Product
from product_service.domain.reservation import (
    CurrentPrice,
    Release,
    Reply,
    RequestedItem,
    Reservation,
    Shortage,
    Status,
    earlier_prices,
)

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
PRICE = Money(1990, "USD")


def product(letter, stock, **fields):
    given = {"price": PRICE, "created_at": AT, "updated_at": AT} | fields
    return Product(id=letter * 24, name=letter, stock=stock, **given)


def items(*requested, price=PRICE):
    return [RequestedItem(product_id=letter * 24, quantity=count, unit_price=price) for letter, count in requested]


def decide(order_id, requested, *products, ends=None):
    found = {product.id: product for product in products}
    return Reservation.decide(
        order_id=order_id, items=requested, products=found, price_ends=ends or {}, placed_at=AT, at=AT
    )


def deltas(reservation):
    return {movement.product_id[0]: movement.delta for movement in reservation.movements(at=AT)}


def test_an_order_takes_the_pieces_of_all_its_lines():
    reservation = decide("1", items(("b", 2), ("a", 1), ("b", 1)), product("a", 1), product("b", 3))
    assert (reservation.status, reservation.reply, reservation.closed_at) == (Status.RESERVED, Reply(), None)
    assert list(deltas(reservation).items()) == [("a", -1), ("b", -3)]
    assert {movement.ref for movement in reservation.movements(at=AT)} == {"1"}


def test_all_shortages_are_reported_and_the_order_takes_nothing():
    reservation = decide("1", items(("a", 2), ("b", 1), ("c", 1)), product("a", 1), product("b", 5), product("c", 0))
    shortages = tuple(
        Shortage(product_id=letter * 24, requested=requested, available=available)
        for letter, requested, available in (("a", 2, 1), ("c", 1, 0))
    )
    assert reservation.reply == Reply(reason="out_of_stock", shortages=shortages)
    assert (reservation.status, reservation.closed_at) == (Status.REJECTED, AT)
    assert deltas(reservation) == {}


@pytest.mark.parametrize("products", [[product("a", 5, active=False)], []], ids=["inactive", "unknown"])
def test_a_product_that_is_no_longer_sold_is_named_as_withdrawn(products):
    reply = decide("1", items(("a", 1), ("b", 1)), *products, product("b", 5)).reply
    shortages = (Shortage(product_id="a" * 24, requested=1, available=0, withdrawn=True),)
    assert reply == Reply(reason="withdrawn", shortages=shortages)


def test_a_line_that_is_short_is_reported_beside_one_that_is_withdrawn():
    reply = decide("1", items(("a", 1), ("b", 2)), product("b", 1)).reply
    assert reply.reason == "withdrawn"
    assert [(short.product_id[0], short.available, short.withdrawn) for short in reply.shortages] == [
        ("a", 0, True),
        ("b", 1, False),
    ]


@pytest.mark.parametrize(("stock", "reason"), [(1, "price_changed"), (0, "out_of_stock")])
def test_a_price_counts_only_when_the_stock_suffices(stock, reason):
    reply = decide("1", items(("a", 1), price=Money(1, "USD")), product("a", stock)).reply
    assert reply.reason == reason


def test_the_reply_names_the_present_price_of_each_product_whose_price_changed():
    dear, euro, same = product("a", 9), product("b", 9, price=Money(700, "EUR")), product("c", 9, price=Money(1, "USD"))
    reply = decide("1", items(("a", 1), ("b", 1), ("c", 1), price=Money(1, "USD")), dear, euro, same).reply
    assert reply.reason == "price_changed"
    assert reply.prices == (CurrentPrice(product_id="a" * 24, price=dear.price),)


OLD = Money(1, "USD")


@pytest.mark.parametrize(("age", "reason"), [(PRICE_AGE, None), (PRICE_AGE + timedelta(seconds=1), "price_changed")])
def test_a_price_that_ended_up_to_ten_minutes_before_the_order_is_taken(age, reason):
    ends = {("a" * 24, OLD): AT - age}
    assert decide("1", items(("a", 1), price=OLD), product("a", 9), ends=ends).reply.reason == reason


def test_the_end_of_one_price_is_none_of_another_price_or_product():
    for named in (("a" * 24, Money(2, "USD")), ("a" * 24, Money(1, "EUR")), ("b" * 24, OLD)):
        reply = decide("1", items(("a", 1), price=OLD), product("a", 9), ends={named: AT}).reply
        assert reply.reason == "price_changed"


def test_only_prices_that_differ_from_the_present_ones_are_looked_up():
    found = {letter * 24: product(letter, 9) for letter in "ab"}
    requested = [*items(("a", 1), ("c", 1)), *items(("b", 1), price=OLD)]
    assert earlier_prices(requested, found) == {("b" * 24, OLD)}


def test_orders_are_decided_one_after_another_against_the_stock_that_the_earlier_ones_left():
    lamp, statuses = product("a", 3), []
    for number in range(3):
        reservation = decide(str(number), items(("a", 2 - number % 2)), lamp)
        lamp = replace(lamp, stock=lamp.stock + deltas(reservation).get("a", 0))
        statuses.append(reservation.status)
    assert (statuses, lamp.stock) == ([Status.RESERVED, Status.RESERVED, Status.REJECTED], 0)


def test_a_release_gives_back_what_was_taken_once_and_its_reply_names_it():
    reserved = decide("1", items(("b", 1), ("a", 1), ("a", 1)), product("a", 5), product("b", 5))
    released = reserved.release(at=AT + timedelta(hours=1))
    assert (released.status, released.closed_at) == (Status.RELEASED, AT + timedelta(hours=1))
    assert released.reply == Release(pieces=(("a" * 24, 2), ("b" * 24, 1)))
    assert deltas(released) == {"a": 2, "b": 1}
    assert released.release(at=AT) is released


def test_a_rejected_order_and_one_that_was_cancelled_first_give_nothing_back():
    rejected = decide("1", items(("a", 1)), product("a", 0))
    cancelled = rejected.release(at=AT + timedelta(hours=1))
    assert cancelled == replace(rejected, reply=Release())
    assert cancelled.release(at=AT) is cancelled
    mark = Reservation.cancelled_first(order_id="2", at=AT)
    assert (mark.status, mark.closed_at, mark.reply) == (Status.RELEASED, AT, Release())
    assert (deltas(mark), deltas(rejected), deltas(cancelled)) == ({}, {}, {})
    assert mark.release(at=AT) is mark


def test_a_reservation_that_an_earlier_version_released_gets_its_reply_late():
    reserved = decide("1", items(("a", 2)), product("a", 5))
    old = replace(reserved, status=Status.RELEASED, reply=None, closed_at=AT)
    late = old.release(at=AT + timedelta(days=1))
    assert late == replace(old, reply=Release(pieces=(("a" * 24, 2),)))


def test_a_delivered_order_that_is_cancelled_gives_nothing_back():
    reserved = decide("1", items(("a", 2)), product("a", 5))
    delivered = replace(reserved, closed_at=AT + timedelta(days=1))
    assert (reserved.is_in_force, delivered.is_in_force) == (True, False)
    assert delivered.release(at=AT + timedelta(days=2)) == replace(delivered, reply=Release())
