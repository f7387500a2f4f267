"""The life of an order: which status may follow which.

pending ──→ confirmed ──→ shipped ──→ delivered
   │            │
   └────────────┴──→ cancelled

There is no circle, so an order changes its status three times at most. Staff confirm; `rejected` waits for the reservation
of stock, which will confirm or reject by itself.
"""

from order_service.errors import IllegalTransition
from order_service.models import Status

BEFORE: dict[Status, frozenset[Status]] = {
    Status.CONFIRMED: frozenset({Status.PENDING}),
    Status.SHIPPED: frozenset({Status.CONFIRMED}),
    Status.DELIVERED: frozenset({Status.SHIPPED}),
    Status.CANCELLED: frozenset({Status.PENDING, Status.CONFIRMED}),
}
"""Each status that an order can take, with those it may have before."""


def require_legal(before: str, after: Status) -> None:
    """Raise IllegalTransition unless `after` may follow `before`."""
    if before not in BEFORE.get(after, frozenset()):
        raise IllegalTransition(f"A {before} order can't become {after.value}")
