"""Years, months and days in which orders were placed. An order's id contains its time, so the primary key serves their filters.

Django's `date_hierarchy` needs one query more on each page, and reads the whole table: `created_at` has no index (docs/adr/0006).
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

from ulid import ULID

from libs.values.times import now
from order_service.domain.order_id import first_id
from order_service.store.models import Order

FORMATS = ("%Y", "%Y-%m", "%Y-%m-%d")
TITLES = ("%Y", "%B %Y", "%-d %B %Y")


@dataclass(frozen=True)
class Period:
    """A year, a month or a day, in the zone of `start`: `depth` 0, 1 or 2."""

    start: datetime
    depth: int

    @classmethod
    def parse(cls, text: str, zone: tzinfo = UTC) -> Self:
        """From 2026, 2026-11 or 2026-11-20. Raises ValueError."""
        depth = text.count("-")
        if depth > 2 or len(text) != (4, 7, 10)[depth]:
            raise ValueError(text)
        return cls(datetime.strptime(text, FORMATS[depth]).replace(tzinfo=zone), depth)

    @property
    def end(self) -> datetime:
        """The first moment after the period. Raises OverflowError after the year 9999."""
        days = monthrange(self.start.year, self.start.month)[1] if self.depth == 1 else 1
        return self.start.replace(year=self.start.year + 1) if self.depth == 0 else self.start + timedelta(days=days)

    @property
    def value(self) -> str:
        """The form that `parse` reads."""
        return self.start.strftime(FORMATS[self.depth])

    @property
    def title(self) -> str:
        """The title on pages."""
        return self.start.strftime(TITLES[self.depth])

    @property
    def short(self) -> str:
        """The title below the title of its parent."""
        return self.start.strftime(("%Y", "%B", "%-d")[self.depth])

    def bounds(self) -> dict[str, str]:
        """The filter for the period's orders."""
        return {"id__gte": first_id(self.start), "id__lt": first_id(self.end)}

    def parents(self) -> list["Period"]:
        """The year and the month that contain the period."""
        firsts = (self.start.replace(month=1, day=1), self.start.replace(day=1))
        return [Period(start, depth) for depth, start in enumerate(firsts[: self.depth])]

    def children(self, since: datetime, until: datetime) -> list["Period"]:
        """The months of a year or the days of a month that overlap the time from `since` to `until`."""
        if self.depth == 2:
            return []
        zone = self.start.tzinfo
        begin, end = (
            max(self.start, since.astimezone(zone)),
            min(self.end, until.astimezone(zone) + timedelta(microseconds=1)),
        )
        return list(_each(begin, end, self.depth + 1))


def _each(moment: datetime, end: datetime, depth: int) -> list[Period]:
    """The periods of a depth from the one that contains `moment`, up to `end`."""
    found: list[Period] = []
    start = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    period = Period(start if depth == 2 else start.replace(day=1), depth)
    period = Period(period.start.replace(month=1), 0) if depth == 0 else period
    while period.start < end:
        found.append(period)
        period = Period(period.end, depth)
    return found


@dataclass(frozen=True)
class DrillDown:
    """The links above the list: the chosen period, the periods that contain it, and the periods in it."""

    here: Period | None
    parents: list[Period]
    children: list[Period]


def drill_down(here: Period | None, zone: tzinfo = UTC) -> DrillDown:
    """The links for the chosen period, else for the years in `zone`. One query: the oldest order gives the first year."""
    oldest = Order.objects.order_by("id").values_list("id", flat=True).first()
    until = now()
    since = ULID.from_str(oldest).datetime if oldest else until
    if here:
        return DrillDown(here, here.parents(), here.children(since, until))
    years = _each(since.astimezone(zone), until.astimezone(zone), 0)
    return DrillDown(None, [], years if len(years) > 1 else years[0].children(since, until))
