"""The comparison of the orders with the stock that product_service holds for them, in both directions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from order_service.domain.order_status import Status

SETTLED = timedelta(hours=1)  # an order that has changed since then is not compared: its events may be on their way

Pieces = Mapping[str, int]
"""Quantities by product id."""


class Kind(StrEnum):
    """What differs."""

    HELD = "held"  # Stock is held for an order that does not need it.
    MISSING = "missing"  # A confirmed or shipped order holds nothing.
    DIFFERENT = "different"  # A confirmed or shipped order holds other pieces.


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedOrder:
    """An order that has not changed for SETTLED."""

    id: str
    status: Status
    pieces: Pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPage:
    """The reservations in force from behind `after` to `until`, at the time `as_of`. None: from the beginning, to the end."""

    round: str
    after: str | None
    until: str | None
    as_of: datetime
    held: Mapping[str, Pieces]  # by order id


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """An order and its stock that do not agree. `status`: None when there is no such order."""

    order_id: str
    kind: Kind
    status: Status | None
    ordered: Pieces
    held: Pieces

    def __str__(self) -> str:
        """One line."""
        order = f"order {self.order_id} is {self.status}" if self.status else f"order {self.order_id} does not exist"
        if self.kind is Kind.DIFFERENT:
            return f"{order} and has {_text(self.ordered)}, but holds {_text(self.held)}"
        return f"{order}, but holds {_text(self.held)}"


def compare(order: ComparedOrder, held: Pieces) -> Difference | None:
    """What differs between an order and what it holds. Nothing for a pending order: it gets its reply again.

    Nothing for a delivered order: its items have left, and its reservation only has to be closed.
    """
    kind = None
    if order.status in (Status.CANCELLED, Status.REJECTED):
        kind = Kind.HELD if held else None
    elif order.status in (Status.CONFIRMED, Status.SHIPPED) and dict(order.pieces) != dict(held):
        kind = Kind.DIFFERENT if held else Kind.MISSING
    if kind is None:
        return None
    return Difference(order_id=order.id, kind=kind, status=order.status, ordered=order.pieces, held=held)


def without_order(order_id: str, held: Pieces) -> Difference:
    """The difference of stock that is held for an order that does not exist."""
    return Difference(order_id=order_id, kind=Kind.HELD, status=None, ordered={}, held=held)


def _text(pieces: Pieces) -> str:
    return ", ".join(f"{count} of {product_id}" for product_id, count in sorted(pieces.items())) or "nothing"
