"""Percentiles by the nearest rank."""

from __future__ import annotations

import pytest

from bench.percentiles import percentile


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (95, 95), (99, 99), (99.5, 100), (100, 100), (0, 1)])
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(percent: float, value: float) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == value


def test_one_value_is_every_percentile() -> None:
    assert percentile([7.0], 50) == percentile([7.0], 99) == 7.0


def test_no_values_have_none() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)
