"""Keyset pagination: a page starts after the key of the last row, so new and deleted rows do not shift the pages.

A cursor is opaque to clients: base64url of `[sort, backwards, key…]`. It needs no signature: its values are checked by type and
bound as values, so a forged cursor only starts the list at another place.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import orjson

from libs.values.errors import Invalid

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
EXAMINED_PER_ROW = 25  # rows that a list reads for each row of its page, where no index finds all that match
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page that a client requests. It starts after the row with the key `position`, or ends before it when `backwards`.

    Without a position it is the first page.
    """

    sort: str
    limit: int = DEFAULT_LIMIT
    position: tuple[Any, ...] | None = None
    backwards: bool = False

    @property
    def bound(self) -> int:
        """How many rows the page may examine in one index."""
        return EXAMINED_PER_ROW * max(self.limit, DEFAULT_LIMIT)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of rows, in the order of the list. A cursor is None at the end of the list."""

    results: Sequence[Row]
    next: str | None
    previous: str | None

    def render(self, url: str, to_json: Callable[[Row], object]) -> dict[str, object]:
        """`{next, previous, results}` as JSON. The links are the path and the query of `url` with a cursor.

        They hold no host, because a client can send any. `to_json` converts a row.
        """
        links = {
            name: cursor and _with_cursor(url, cursor)
            for name, cursor in (("next", self.next), ("previous", self.previous))
        }
        return {**links, "results": [to_json(row) for row in self.results]}


def page_request(*, sort: str, key_types: Sequence[type], limit: str | None, cursor: str | None) -> PageRequest:
    """The request in `?limit=` and `?cursor=`. `key_types`: the types of the values in the sort's key. Raises Invalid."""
    size = DEFAULT_LIMIT
    if limit is not None:
        if not (limit.isascii() and limit.isdigit() and 1 <= len(limit) <= 3 and 1 <= int(limit) <= MAX_LIMIT):
            raise Invalid.field("limit", "invalid-limit", f"Enter a number from 1 to {MAX_LIMIT}")
        size = int(limit)
    if cursor is None:
        return PageRequest(sort, size)
    try:
        cursor_sort, backwards, *position = orjson.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=="))
    except (ValueError, TypeError, binascii.Error):
        cursor_sort, backwards, position = None, None, []
    fits = len(position) == len(key_types) and all(type(v) is t for v, t in zip(position, key_types, strict=True))
    if cursor_sort != sort or not isinstance(backwards, bool) or not fits:
        raise Invalid.field("cursor", "invalid-cursor", "The cursor can't be read, or belongs to another sort order")
    return PageRequest(sort, size, tuple(position), backwards)


def build_page(
    request: PageRequest,
    rows: Sequence[Row],
    key: Callable[[Row], tuple[Any, ...]],
    *,
    resume: tuple[Any, ...] | None = None,
) -> Page[Row]:
    """The page of up to `limit + 1` fetched rows. They come in the order of the list, or reversed when the request is backwards.

    `resume`: the key of the last row that was examined, when more may match behind it. A page that is not full then leads on from
    there, also without a row.
    """
    more, rows = len(rows) > request.limit, list(rows[: request.limit])
    if request.backwards:
        rows.reverse()
    first, last = (key(rows[0]), key(rows[-1])) if rows else (resume, resume)
    if resume and not more:
        first, last = (resume, last) if request.backwards else (first, resume)
    goes_on = more or resume is not None
    has_next = request.backwards or goes_on
    has_previous = goes_on if request.backwards else request.position is not None
    return Page(
        results=rows,
        next=_encode(request.sort, False, last) if last and has_next else None,
        previous=_encode(request.sort, True, first) if first and has_previous else None,
    )


def _encode(sort: str, backwards: bool, key: tuple[Any, ...]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([sort, backwards, *key])).rstrip(b"=").decode()


def _with_cursor(url: str, cursor: str) -> str:
    parts = urlsplit(url)
    query: Mapping[str, str] = dict(parse_qsl(parts.query)) | {"cursor": cursor}
    path = quote("/" + parts.path.lstrip("/\\"), safe="/%")  # `//host` and `/\\host` would lead a browser elsewhere
    return f"{path}?{urlencode(query)}"
