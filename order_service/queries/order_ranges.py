"""Which rows a page of a list of orders is read from: a bounded number, however many orders there are and whatever is chosen.

An index has the orders of a customer, of a status, or all of them, by id. What else is chosen has an index of its own, in another
order. If few orders match it, that index finds all of them. Otherwise the list is read by id, and each page examines as many orders
as `PageRequest.bound` says. Such a page may have fewer rows than it could, and leads on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.django_store.statements import as_stored, fetch_all
from libs.values.email_address import spellings
from libs.values.pages import PageRequest

Condition = tuple[str, tuple[object, ...]]
"""SQL, and its parameters."""
MAX_IDS = 500  # in one statement; MariaDB makes a table of a thousand
BY_CHANGE, BY_EMAIL, BY_NAME = "orders_by_change", "orders_of_email", "orders_of_username"
BY_USER, BY_USER_AND_STATUS, BY_STATUS, BY_ID = "orders_of_user", "orders_of_user_status", "orders_of_status", "PRIMARY"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders a list has; None is no filter. `first_id` and `end_id` limit a half-open interval of ids.

    `beginning`: of an order's id, of its customer's e-mail address or of the username.
    """

    user_id: str | None = None
    status: str | None = None
    first_id: str | None = None
    end_id: str | None = None
    updated_from: datetime | None = None
    beginning: str | None = None

    @property
    def index(self) -> str:
        """The index that has the orders by id."""
        if self.user_id is not None:
            return BY_USER if self.status is None else BY_USER_AND_STATUS
        return BY_ID if self.status is None else BY_STATUS

    def in_index(self) -> Iterable[Condition]:
        """The conditions that this index serves."""
        columns = (
            ("user_id = %s", self.user_id),
            ("status = %s", self.status),
            ("id >= %s", self.first_id),
            ("id < %s", self.end_id),
        )
        return ((text, (value,)) for text, value in columns if value is not None)

    def others(self) -> Iterator["OtherFilter"]:
        """The other conditions."""
        if self.updated_from is not None:
            yield OtherFilter([(BY_CHANGE, "updated_at >= %s", as_stored(self.updated_from))])
        if self.beginning is not None:
            found = [(BY_EMAIL, "user_email LIKE %s", _begins(text)) for text in spellings(self.beginning)]
            found.append((BY_NAME, "username LIKE %s", _begins(self.beginning)))
            found.append((BY_ID, "id LIKE %s", _begins(self.beginning.upper())))
            yield OtherFilter(found)


@dataclass(frozen=True, slots=True)
class OtherFilter:
    """Alternatives: an index, SQL and its parameter of each. An order matches one of them."""

    alternatives: Sequence[tuple[str, str, object]]

    def condition(self) -> Condition:
        """The condition in SQL."""
        texts = " OR ".join(text for _, text, _ in self.alternatives)
        return f"({texts})", tuple(value for _, _, value in self.alternatives)

    def few(self, bound: int) -> set[str] | None:
        """The ids of all orders that match, None when there are more than `bound`. Only the indexes are read."""
        found: set[str] = set()
        for index, text, value in self.alternatives:
            rows = fetch_all(f"SELECT id FROM orders FORCE INDEX ({index}) WHERE {text} LIMIT {bound + 1}", [value])
            found |= {row[0] for row in rows}
            if len(found) > bound:
                return None
        return found


@dataclass(frozen=True, slots=True)
class Range:
    """Rows of `orders`: an index, and the conditions in SQL with their parameters. `resume`: the last id that is examined.

    None: the range has all that match.
    """

    index: str
    where: str
    parameters: Sequence[object]
    resume: str | None = None

    @property
    def clause(self) -> str:
        """What follows the name of the table."""
        return f"FORCE INDEX ({self.index}) WHERE {self.where}"


def choose_range(found: OrderFilter, request: PageRequest) -> Range:
    """The rows of a page. It takes no query without other filters than those of one index, and few bounded ones with them."""
    own = [*found.in_index(), *_place(request)]
    others = list(found.others())
    rest = [one.condition() for one in others]
    if not others:
        return _range(found.index, own)
    for one in others:
        ids = one.few(min(request.bound, MAX_IDS))
        if ids is not None:
            return _range(BY_ID, [("id IN %s", (tuple(ids) or ("",),)), *own, *rest])
    if (end := _end(found.index, own, request)) is None:
        return _range(found.index, [*own, *rest])
    within: Condition = ("id <= %s" if is_ascending(request) else "id >= %s", (end,))
    return _range(found.index, [*own, within, *rest], end)


def count_orders(found: OrderFilter, limit: int) -> int:
    """How many orders there are, up to `limit`. Raises ValueError for a filter that the index of the list does not serve.

    With the index named, because MariaDB takes it for the status alone and then reads all orders of the status.
    """
    if list(found.others()):
        raise ValueError("a filter without a place in the index")
    rows = _range(found.index, found.in_index())
    text = f"SELECT COUNT(*) FROM (SELECT id FROM orders {rows.clause} LIMIT {limit}) AS found"
    return int(fetch_all(text, rows.parameters)[0][0])


def is_ascending(request: PageRequest) -> bool:
    """Whether the page is read by ascending ids."""
    return (request.sort == "oldest") != request.backwards


def in_order(request: PageRequest) -> str:
    """The order of the rows in SQL."""
    return f"ORDER BY id {'ASC' if is_ascending(request) else 'DESC'}"


def _place(request: PageRequest) -> Iterator[Condition]:
    if request.position:
        yield "id > %s" if is_ascending(request) else "id < %s", request.position[:1]


def _end(index: str, own: Iterable[Condition], request: PageRequest) -> str | None:
    """The id of the last order that the page may examine, None when there are fewer."""
    rows = _range(index, own)
    text = f"SELECT id FROM orders {rows.clause} {in_order(request)} LIMIT 1 OFFSET {request.bound - 1}"
    found = fetch_all(text, rows.parameters)
    return str(found[0][0]) if found else None


def _range(index: str, conditions: Iterable[Condition], resume: str | None = None) -> Range:
    parts = list(conditions)
    where = " AND ".join(text for text, _ in parts) or "TRUE"
    return Range(index, where, [value for _, values in parts for value in values], resume)


def _begins(text: str) -> str:
    """The pattern of LIKE for texts that begin with this one."""
    for character in "\\%_":
        text = text.replace(character, f"\\{character}")
    return f"{text}%"
