"""`make seed-large`: what it is asked for, and the story that it writes."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise

import pytest

from deploy.local.errors import LocalError
from deploy.seeding import story
from deploy.seeding.seed_large import read_counts
from deploy.seeding.story import DAY, Size

SIZE = Size(products=500, orders=3000, end=time.time())


@pytest.mark.parametrize(
    ("arguments", "counts"),
    [
        ([], (1_000_000, 1_000_000)),
        (["COUNT=500"], (500, 500)),
        (["COUNT=500", "ORDERS=7"], (500, 7)),
        (["PRODUCTS=3", "ORDERS=9"], (3, 9)),
    ],
)
def test_the_counts_are_read(arguments, counts):
    assert read_counts(arguments) == counts


@pytest.mark.parametrize("argument", ["COUNT=0", "COUNT=many", "PRODUCTS=-1", "ORDERS=10000001", "SIZE=5", "COUNT="])
def test_other_counts_are_refused(argument):
    with pytest.raises(LocalError, match="COUNT, PRODUCTS and ORDERS"):
        read_counts([argument])


def test_the_story_is_always_the_same():
    assert list(story.orders(SIZE)) == list(story.orders(SIZE))
    assert [story.product(SIZE, number) for number in (0, 7)] == [story.product(SIZE, number) for number in (0, 7)]


def test_orders_come_by_time_over_ninety_days_and_their_steps_follow_each_other():
    orders = list(story.orders(SIZE))
    assert len(orders) == len({order.id for order in orders}) == SIZE.orders
    assert [order.id for order in orders] == sorted(order.id for order in orders)
    first, last = orders[0].steps[0].at, orders[-1].steps[0].at
    assert SIZE.begin <= first <= SIZE.begin + DAY
    assert SIZE.end - DAY <= last <= SIZE.end
    for order in orders:
        assert all(before.at < after.at <= SIZE.end for before, after in pairwise(order.steps))
        assert all(0 <= number < SIZE.products and quantity > 0 for number, quantity in order.lines)
        assert 0 <= order.customer < SIZE.accounts


def test_most_orders_have_arrived_and_some_are_on_their_way():
    statuses = Counter(order.status for order in story.orders(SIZE))
    assert set(statuses) == {"confirmed", "shipped", "delivered", "cancelled", "rejected"}
    assert statuses["delivered"] > SIZE.orders * 0.7
    assert statuses["confirmed"] > 5


def test_orders_without_a_decision_are_there_when_the_size_has_some():
    statuses = Counter(order.status for order in story.orders(Size(products=9, orders=3000, end=SIZE.end, pending=0.1)))
    assert 200 < statuses["pending"] < 400


def test_all_products_differ_in_name_sku_and_id():
    products = [story.product(SIZE, number) for number in range(SIZE.products)]
    for values in zip(*((it.id, it.name, it.sku) for it in products), strict=True):
        assert len(set(values)) == SIZE.products
    assert [it.id for it in products] == sorted(it.id for it in products)
    assert all(0 < it.price < 10_000_000 and it.left >= 0 for it in products)
