"""The shop's time zone, for people: days, pages, files and mails. What programs read stays in UTC."""

from datetime import UTC, date, datetime, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import PlainValidator

NO_PLACES = ("localtime", "posixrules", "Factory")  # files of the database that name no place
REASON = "is not an IANA time zone such as Europe/Berlin"


def read_time_zone(name: object) -> tzinfo:
    """The zone with this name of the IANA database. Raises ValueError."""
    if isinstance(name, tzinfo):
        return name
    if name == "UTC":
        return UTC  # without the database, which a machine may not have
    if not isinstance(name, str) or name in NO_PLACES:
        raise ValueError(REASON)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no name at all, or a folder of names
        raise ValueError(REASON) from None


TimeZone = Annotated[tzinfo, PlainValidator(read_time_zone)]


def zone_name(zone: tzinfo) -> str:
    """The name of a zone, such as Europe/Berlin or UTC."""
    return str(zone)


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """The first moment of a day in a zone: midnight, or the end of the hour that the clocks leave out there."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).astimezone(zone)
