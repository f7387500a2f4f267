"""Times: the current time, and RFC 3339 text."""

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """The current time in milliseconds since the epoch, rounded down."""
    return time.time_ns() // 1_000_000


def rfc3339(moment: datetime) -> str:
    """The text `2026-01-31T12:00:00.000Z` of a moment. A value without a time zone is UTC."""
    if moment.utcoffset():
        moment = moment.astimezone(UTC)
    # The % operator takes half the time of isoformat(), which calls the time zone, and of an f-string. Long lists need it.
    fields = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % (*fields, moment.microsecond // 1000)  # noqa: UP031


def now() -> datetime:
    """The current time, in whole milliseconds as MongoDB stores it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
