"""How late an order may name a price that has ended."""

from datetime import UTC, datetime, timedelta

import pytest

from product_service.domain.price_history import PRICE_AGE, was_shown

MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("until", "shown"),
    [
        (MOMENT - PRICE_AGE - SECOND, False),
        (MOMENT - PRICE_AGE, True),
        (MOMENT - SECOND, True),
        (MOMENT + SECOND, True),
    ],
)
def test_a_price_is_shown_for_ten_minutes_after_its_end(until, shown):
    assert was_shown(until, MOMENT) is shown
