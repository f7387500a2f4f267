"""Finding orders by what staff have in hand: an id, an e-mail address, a username, a product.

Each column has an index, and each is asked on its own for MOST ids at most: one OR over all of them would read the whole table.
"""

import re
from typing import NamedTuple

from django.db.models import QuerySet

from order_service.store.models import Order, OrderLine

MOST = 500  # ids a question; whoever finds more types more
ID = re.compile(
    r"[0-9A-HJKMNP-TV-Z]{10,26}"
)  # with the ten characters that tell the time: fewer are those of many days
HELP = "Order, e-mail, name or product"
TOO_MANY_MATCHES = "Too many orders match. Enter more characters."


class Found(NamedTuple):
    """Ids of orders; not all of them when `is_cut`."""

    ids: set[str]
    is_cut: bool


def find_orders(text: str) -> Found:
    """The orders that `text` names: whole, or by the beginning of an id, an address or a name."""
    text = text.strip().removeprefix("#")
    questions = [
        _newest(OrderLine.objects.filter(product_id=text), "order_id"),
        _newest(OrderLine.objects.filter(name=text), "order_id"),
        _any(OrderLine.objects.filter(name__istartswith=text), "order_id"),
        _newest(Order.objects.filter(user_email=text), "id"),
        _any(Order.objects.filter(user_email__istartswith=text), "id"),
        _newest(Order.objects.filter(username=text), "id"),
        _any(Order.objects.filter(username__istartswith=text), "id"),
    ]
    if ID.fullmatch(text.upper()):
        questions.append(_newest(Order.objects.filter(id__istartswith=text.upper()), "id"))
    answers = [list(question) for question in questions]
    return Found({order_id for answer in answers for order_id in answer}, any(len(a) == MOST for a in answers))


def _newest(rows: QuerySet, column: str) -> QuerySet:  # type: ignore[type-arg]
    """Of equal values an index holds the orders in their own order."""
    return rows.order_by(f"-{column}").values_list(column, flat=True)[:MOST]


def _any(rows: QuerySet, column: str) -> QuerySet:  # type: ignore[type-arg]
    """Of values that begin alike it holds them by value: to sort them all would cost what the limit saves."""
    return rows.order_by().values_list(column, flat=True)[:MOST]
