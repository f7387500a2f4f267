"""The parameters of the list."""

import pytest

from order_service.api.filters import parse_moment


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456+02:00", "2026-01-31t12:00:00z"])
def test_times_are_rfc_3339(text):
    assert parse_moment(text).tzinfo


@pytest.mark.parametrize(
    "text",
    [
        *("2026-01-31", "2026-01-31T12:00:00", "1769860800", "2026-01-31 12:00:00Z", "2026-02-31T12:00:00Z"),
        *("2026-01-31T12:00Z", "2026-01-31T12:00:00+99:00", "2026-01-31T12.00.00Z", "2026-01-31T12:00:00:00Z"),
    ],
)
def test_other_times_are_not_guessed_at(text):
    with pytest.raises(ValueError):
        parse_moment(text)
