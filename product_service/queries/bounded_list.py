"""Lists that examine a bounded number of products, however many there are and whatever is chosen.

Each filter has an index. An index also has an order. A list whose only filter has the index of the list's order is read from there.
Otherwise the filters are counted, up to the bound. One that few products match finds them all, and they are sorted. When many
match each of them, the list is read in its order, and each page examines as many products as the bound says. Such a page may have
fewer rows than it could, and leads on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from libs.mongo_store.connection import Bson
from product_service.queries.keyset import Condition
from product_service.store import documents


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition, and its indexes by the field by which each sorts the products that match.

    `unindexed`: the same condition in a form that MongoDB reads from no index, if it could choose the wrong condition there.
    """

    condition: Condition
    indexes: Mapping[str, str]
    unindexed: Condition | None = None

    @property
    def index(self) -> str:
        """Any of its indexes."""
        return next(iter(self.indexes.values()))


class Order(NamedTuple):
    """The order of a list: by a field and then by id, each in this direction (1 or -1).

    `walked`: the index that has all products in this order.
    """

    field: str
    direction: int
    walked: str

    @property
    def keys(self) -> list[tuple[str, int]]:
        """As MongoDB sorts."""
        return [(self.field, self.direction), ("_id", self.direction)]


class Found(NamedTuple):
    """The rows of a page and one more, if there are so many. `resume`: the last row that was examined, when more may match."""

    rows: Sequence[Bson]
    resume: Bson | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundedList:
    """A list. `base`: what all indexes begin with. `place`: the conditions of the page. `fields`: of the rows.

    `limit`: of the rows. `bound`: how many products may be examined in one index.
    """

    base: Condition
    filters: Sequence[Filter]
    place: Sequence[Condition]
    order: Order
    fields: Mapping[str, int]
    limit: int
    bound: int

    def read(self) -> Found:
        """The page."""
        sorted_by = next((one for one in self.filters if self.order.field in one.indexes), None)
        others = [one for one in self.filters if one is not sorted_by]
        index = sorted_by.indexes[self.order.field] if sorted_by else self.order.walked
        if not others:
            return Found(self._find(index, sorted_by))
        few = next((one for one in others if self._count(one) <= self.bound), None)
        if few:
            return Found(self._find(few.index, few))
        return self._walk(index, [sorted_by] if sorted_by else [], others)

    def _find(self, index: str, served: Filter | None) -> list[Bson]:
        rest = [one.unindexed or one.condition for one in self.filters if one is not served]
        where = [self.base, *([served.condition] if served else []), *rest, *self.place]
        found = documents.products().find({"$and": where}, self.fields).hint(index)
        return list(found.sort(self.order.keys).limit(self.limit))

    def _count(self, one: Filter) -> int:
        """How many products match, up to one more than the bound. Only the index is read."""
        return int(
            documents.products().count_documents({**self.base, **one.condition}, limit=self.bound + 1, hint=one.index)
        )

    def _walk(self, index: str, served: Sequence[Filter], others: Sequence[Filter]) -> Found:
        """The matches among the next products in the order of the list."""
        where = {"$and": [self.base, *(one.condition for one in served), *self.place]}
        steps: list[dict[str, object]] = [
            {"$match": where},
            {"$sort": dict(self.order.keys)},
            {"$limit": self.bound},
            {"$match": {"$and": [one.condition for one in others]}},
            {"$limit": self.limit},
            {"$project": dict(self.fields)},
        ]
        rows = list(documents.products().aggregate(steps, hint=index))
        if len(rows) == self.limit:
            return Found(rows)
        last = documents.products().find(where, {self.order.field: 1}).hint(index).sort(self.order.keys)
        return Found(rows, next(iter(last.skip(self.bound - 1).limit(1)), None))
