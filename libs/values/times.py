"""Times: the current time, and RFC 3339 text."""

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """The current time in milliseconds since the epoch, rounded down."""
    return time.time_ns() // 1_000_000


def rfc3339(moment: datetime) -> str:
    """The text `2026-01-31T12:00:00.000Z` of a moment. A value without a time zone is UTC, as MongoDB's driver returns it."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> datetime:
    """The current time, in whole milliseconds as MongoDB stores it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
