"""Ids that sort by time."""

from datetime import UTC, datetime, timedelta

import pytest

from libs.values.times import now
from order_service.domain.order_id import first_id, new_id

MOMENT = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)


def test_an_id_belongs_to_the_millisecond_of_its_order():
    order = new_id(MOMENT)
    assert len(order) == 26
    assert first_id(MOMENT) <= order < first_id(MOMENT + timedelta(milliseconds=1))


def test_a_moment_between_two_milliseconds_begins_with_the_later_one():
    assert first_id(MOMENT + timedelta(microseconds=1)) == first_id(MOMENT + timedelta(milliseconds=1))


@pytest.mark.parametrize("year", [1, 1969, 1970])
def test_times_before_all_orders_are_the_smallest_id(year):
    assert first_id(datetime(year, 1, 1, tzinfo=UTC)) == "0" * 26


def test_the_last_moment_there_is_has_an_id():
    assert first_id(datetime.max.replace(tzinfo=UTC)) > new_id(now())


def test_the_present_has_milliseconds_only():
    assert now().microsecond % 1000 == 0
