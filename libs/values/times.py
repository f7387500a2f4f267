"""Times: RFC 3339 text, and the present in milliseconds."""

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """The present in milliseconds since the epoch, rounded down."""
    return time.time_ns() // 1_000_000


def rfc3339(moment: datetime) -> str:
    """`2026-01-31T12:00:00.000Z`; a naive value is taken for UTC, as MongoDB's driver gives it."""
    if moment.utcoffset():
        moment = moment.astimezone(UTC)
    # By % in half the time of isoformat(), which calls the time zone, or of an f-string. A list of 100 products has 200 times.
    fields = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % (*fields, moment.microsecond // 1000)  # noqa: UP031


def now() -> datetime:
    """The present, in the milliseconds that MongoDB keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
