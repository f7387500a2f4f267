"""Which prices an order may name."""

from datetime import UTC, datetime, timedelta

import pytest

from product_service.domain.price_history import PRICE_AGE, log_price, price_memory, was_price

PLACED = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def product(*earlier):
    """With price 300 now, and these (price, until) before."""
    return {"price_minor": 300, "price_log": [{"price_minor": price, "until": until} for price, until in earlier]}


def test_the_present_price_may_be_named():
    assert was_price(product(), 300, PLACED)
    assert was_price({"price_minor": 300}, 300, PLACED)
    assert not was_price(product(), 299, PLACED)


@pytest.mark.parametrize(
    ("ended", "fair"),
    [
        (PLACED - PRICE_AGE - SECOND, False),
        (PLACED - PRICE_AGE, True),
        (PLACED - SECOND, True),
        (PLACED + SECOND, True),
    ],
)
def test_an_earlier_price_may_be_named_if_it_ended_within_the_ten_minutes_before_the_order_or_later(ended, fair):
    assert was_price(product((200, ended)), 200, PLACED) is fair
    assert not was_price(product((200, ended)), 100, PLACED)


def test_a_price_that_came_back_is_known_by_its_last_end():
    old, new = PLACED - 2 * PRICE_AGE, PLACED - SECOND
    assert was_price(product((200, old), (100, old), (200, new)), 200, PLACED)
    assert not was_price(product((200, old), (100, old), (200, new)), 100, PLACED)


def test_the_log_keeps_what_a_late_order_may_name():
    memory = price_memory(1800)
    assert memory == timedelta(minutes=40)
    moment = datetime.now(UTC)
    log = log_price(product((100, moment - memory - SECOND), (200, moment - memory + SECOND)), memory)
    assert [entry["price_minor"] for entry in log] == [200, 300]
    assert abs(log[-1]["until"] - moment) < SECOND * 5
