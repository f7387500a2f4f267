"""Times: RFC 3339 text, and the present in milliseconds."""

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """The present in milliseconds since the epoch, rounded down."""
    return time.time_ns() // 1_000_000


def rfc3339(moment: datetime) -> str:
    """`2026-01-31T12:00:00.000Z`; a naive value is taken for UTC, as MongoDB's driver gives it."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> datetime:
    """The present, in the milliseconds that MongoDB keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
