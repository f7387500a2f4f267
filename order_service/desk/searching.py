"""Finding orders by what staff have in hand: an id, an e-mail address, a username, a product.

Each column has an index, and each is asked on its own for MOST ids at most: one OR over all of them would read the whole table.
"""

import re

from django.db.models import QuerySet

from order_service.models import Order, OrderLine

MOST = 1000  # ids a column; whoever finds more types more
ID = re.compile(
    r"[0-9A-HJKMNP-TV-Z]{10,26}"
)  # with the ten characters that tell the time: fewer are those of many days
HELP = "Order, e-mail, name or product"


def find_orders(text: str) -> set[str]:
    """The ids of orders that `text` names. Whole values come first, newest first; beginnings follow."""
    text = text.strip().removeprefix("#")
    if not text:
        return set()
    found: set[str] = set()
    if ID.fullmatch(text.upper()):
        found.update(_newest(Order.objects.filter(id__startswith=text.upper()), "id"))
    found.update(_newest(OrderLine.objects.filter(product_id=text), "order_id"))
    for column in ("user_email", "username"):
        found.update(_newest(Order.objects.filter(**{column: text}), "id"))
        found.update(_any(Order.objects.filter(**{f"{column}__istartswith": text}), "id"))
    found.update(_newest(OrderLine.objects.filter(name=text), "order_id"))
    found.update(_any(OrderLine.objects.filter(name__istartswith=text), "order_id"))
    return found


def _newest(rows: QuerySet, column: str) -> list[str]:  # type: ignore[type-arg]
    """Of equal values an index holds the orders in their own order."""
    return list(rows.order_by(f"-{column}").values_list(column, flat=True)[:MOST])


def _any(rows: QuerySet, column: str) -> list[str]:  # type: ignore[type-arg]
    """Of values that begin alike it holds them by value: to sort them all would cost what the limit saves."""
    return list(rows.order_by().values_list(column, flat=True)[:MOST])
