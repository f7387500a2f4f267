"""The search for orders by an id, an e-mail address, a username or a product.

Each column has an index. Each is queried on its own for at most MAX_MATCHES ids, because one OR over all of them would read the
whole table.
"""

import re
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db.models import Q, QuerySet

from libs.values.email_address import spellings
from order_service.store.models import Order, OrderLine

MAX_MATCHES = 500  # per column
# At least the ten characters of an id that hold its time: fewer would match the orders of many days.
ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{10,26}")
HELP = "Order, e-mail, name or product"
TOO_MANY_MATCHES = "Too many orders match. Enter more characters."


class Matches(NamedTuple):
    """Ids of orders. `is_cut`: there are more than these."""

    ids: set[str]
    is_cut: bool


def find_orders(text: str) -> Matches:
    """The orders that `text` names: a whole value, or the beginning of an id, an address or a name."""
    text = text.strip().removeprefix("#")
    queries = [
        _newest(OrderLine.objects.filter(product_id=text), "order_id"),
        _newest(OrderLine.objects.filter(name=text), "order_id"),
        _any(OrderLine.objects.filter(name__istartswith=text), "order_id"),
        _newest(Order.objects.filter(user_email__in=spellings(text)), "id"),
        _any(Order.objects.filter(email_begins_with(text)), "id"),
        _newest(Order.objects.filter(username=text), "id"),
        _any(Order.objects.filter(username__istartswith=text), "id"),
    ]
    if ID.fullmatch(text.upper()):
        queries.append(_newest(Order.objects.filter(id__istartswith=text.upper()), "id"))
    found = [list(query) for query in queries]
    return Matches(set().union(*found), any(len(ids) == MAX_MATCHES for ids in found))


def email_begins_with(text: str) -> Q:
    """The condition that an order's address begins with `text`, in any spelling of its domain."""
    return reduce(or_, (Q(user_email__istartswith=spelling) for spelling in spellings(text)))


def _newest(rows: QuerySet, column: str) -> QuerySet:  # type: ignore[type-arg]
    """The newest ids: for equal values an index holds the ids in order."""
    return rows.order_by(f"-{column}").values_list(column, flat=True)[:MAX_MATCHES]


def _any(rows: QuerySet, column: str) -> QuerySet:  # type: ignore[type-arg]
    """Any ids: an index holds values with the same beginning by value, so finding the newest would sort all of them."""
    return rows.order_by().values_list(column, flat=True)[:MAX_MATCHES]
