"""The shop's time zone."""

from datetime import UTC, date

import pytest

from libs.values.time_zone import read_time_zone, start_of_day, zone_name


@pytest.mark.parametrize(
    "name", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Argentina/Buenos_Aires", "Etc/GMT+5"]
)
def test_a_zone_of_the_database_keeps_its_name(name):
    assert zone_name(read_time_zone(name)) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "Berlin", "europe/berlin", "Europe", "Europe/Berlin ", "../../etc/passwd", "/etc/localtime"),
        *("localtime", "Factory", "CEST", "+02:00", "a\0b", None),
    ],
)
def test_any_other_text_is_refused_in_words(name):
    with pytest.raises(ValueError, match=r"^is not an IANA time zone such as Europe/Berlin$"):
        read_time_zone(name)


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("UTC", date(2026, 3, 29), "2026-03-29T00:00:00+00:00"),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00:00+00:00"),
        ("Europe/Berlin", date(2026, 3, 30), "2026-03-29T22:00:00+00:00"),
        ("Asia/Kathmandu", date(2026, 3, 29), "2026-03-28T18:15:00+00:00"),
        ("America/Santiago", date(2026, 9, 6), "2026-09-06T04:00:00+00:00"),  # there is no midnight on this day
    ],
)
def test_a_day_begins_at_its_first_moment(zone, day, start):
    assert start_of_day(day, read_time_zone(zone)).astimezone(UTC).isoformat() == start
