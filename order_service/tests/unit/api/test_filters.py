"""The parameters of the list."""

from datetime import UTC, datetime

import pytest

from libs.values.errors import Invalid
from order_service.api.filters import EARLIEST, LATEST, StaffOrderFilters, form_of, parse_moment


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456+02:00", "2026-01-31t12:00:00z"])
def test_times_are_rfc_3339(text):
    assert parse_moment(text).tzinfo


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("9999-12-31T23:59:59-14:00", LATEST),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", EARLIEST),
        ("0001-01-01T00:00:00Z", EARLIEST),
        ("1969-12-31T23:59:59Z", EARLIEST),
        ("1970-01-01T01:00:00+00:30", datetime(1970, 1, 1, 0, 30, tzinfo=UTC)),
    ],
)
def test_times_beyond_those_of_orders_are_the_first_and_the_last_one(text, moment):
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        *("2026-01-31", "2026-01-31T12:00:00", "1769860800", "2026-01-31 12:00:00Z", "2026-02-31T12:00:00Z"),
        *("2026-01-31T12:00Z", "2026-01-31T12:00:00+99:00", "2026-01-31T12.00.00Z", "2026-01-31T12:00:00:00Z"),
        *("2026-01-31T12:00:60Z", "2026-01-31T24:00:00Z", "2026-01-31T12:00:00+14:60", "0000-01-01T00:00:00Z"),
    ],
)
def test_other_times_are_not_guessed_at(text):
    with pytest.raises(ValueError):
        parse_moment(text)


def refused(**fields):
    form = form_of(StaffOrderFilters)(fields)
    with pytest.raises(Invalid) as error:
        form.require_valid()
    return [(row["field"], row["code"], row["message"]) for row in error.value.errors]


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"status": "lost"}, "invalid-choice", "Enter one of: pending, confirmed"),
        ({"sort": "x"}, "invalid-choice", "Enter one of: newest, oldest"),
        ({"userId": "x" * 65}, "string-too-long", "Enter at most 64 characters"),
        ({"search": "x" * 255}, "string-too-long", "Enter at most 254 characters"),
        ({"userId": "a\x00b"}, "character-not-allowed", "A c"),
        ({"search": "a\x07b"}, "character-not-allowed", "A character is not allowed"),
        ({"search": "a\u202eb"}, "character-not-allowed", "A character is not allowed"),
        ({"userId": "a\u200bb"}, "character-not-allowed", "A character is not allowed"),
        ({"search": "\u3164"}, "blank", "Enter something that is visible"),
        ({"createdAfter": "yesterday"}, "invalid-time", "Enter a time such as 2026-01-31T12:00:00Z"),
        ({"limit": " 5"}, "invalid-limit", "Enter a number from 1 to 100"),
        ({"limit": ""}, "blank", "Enter a value, or leave the parameter out"),
        ({"other": "1"}, "extra-forbidden", "There is no such parameter"),
    ],
)
def test_each_fault_has_a_code_and_words_of_ours(fields, code, words):
    [(field, found, message)] = refused(**fields)
    assert (field, found) == (next(iter(fields)), code)
    assert message.startswith(words)


def test_a_plus_that_was_not_encoded_gets_a_hint():
    [(field, code, message)] = refused(createdAfter="2026-01-31T12:00:00 02:00")
    assert (field, code) == ("createdAfter", "invalid-time")
    assert "%2B" in message
    assert "%2B" not in refused(createdAfter="2026-01-31 12:00:00")[0][2]


def test_a_users_id_is_taken_as_it_was_sent():
    form = form_of(StaffOrderFilters)({"userId": "abc "})
    form.require_valid()
    assert form.cleaned_data["userId"] == "abc "
