"""Times: the current time, and RFC 3339 text."""

import time
from datetime import UTC, datetime

from pydantic_core import PydanticCustomError

MAX_TIME_MS = 253_402_300_800_000  # the year 10000


def now_ms() -> int:
    """The current time in milliseconds since the epoch, rounded down."""
    return time.time_ns() // 1_000_000


def to_ms(moment: datetime) -> int:
    """A moment in milliseconds since the epoch, rounded to the nearest one."""
    return round(moment.timestamp() * 1000)


def rfc3339(moment: datetime) -> str:
    """The text `2026-01-31T12:00:00.000Z` of a moment. A value without a time zone is UTC."""
    if moment.utcoffset():
        moment = moment.astimezone(UTC)
    # The % operator takes half the time of isoformat(), which calls the time zone, and of an f-string. Long lists need it.
    fields = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % (*fields, moment.microsecond // 1000)  # noqa: UP031


def require_in_range(moment: datetime) -> None:
    """Raise ValueError, with a code and a message for clients, for a time that is not between 1970 and 9999 in UTC.

    Beyond these years the databases, and Python's conversion to UTC, refuse some times.
    """
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        raise _out_of_range() from None
    if not 1970 <= in_utc.year <= 9999:
        raise _out_of_range()


def _out_of_range() -> PydanticCustomError:
    return PydanticCustomError("time_out_of_range", "Enter a time between the years 1970 and 9999")


def now() -> datetime:
    """The current time, in whole milliseconds as MongoDB stores it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
