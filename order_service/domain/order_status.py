"""The life of an order: which status may follow which.

pending ──→ confirmed ──→ shipped ──→ delivered
   │ │          │
   │ └──────────┴──→ cancelled
   └──→ rejected

There is no circle, so an order changes its status three times at most. What the stock answers confirms or rejects; staff do the
rest.
"""

from order_service.domain.errors import IllegalTransition
from order_service.store.models import Status

BEFORE: dict[Status, frozenset[Status]] = {
    Status.CONFIRMED: frozenset({Status.PENDING}),
    Status.REJECTED: frozenset({Status.PENDING}),
    Status.SHIPPED: frozenset({Status.CONFIRMED}),
    Status.DELIVERED: frozenset({Status.SHIPPED}),
    Status.CANCELLED: frozenset({Status.PENDING, Status.CONFIRMED}),
}
"""Each status that an order can take, with those it may have before."""
BY_STAFF = frozenset({Status.SHIPPED, Status.DELIVERED, Status.CANCELLED})


def require_legal(before: str, after: Status) -> None:
    """Raise IllegalTransition unless `after` may follow `before`."""
    if before not in BEFORE.get(after, frozenset()):
        raise IllegalTransition(f"A {before} order can't become {after.value}")


def require_by_staff(after: Status) -> None:
    """Raise IllegalTransition unless staff may give an order the status `after`, in its time."""
    if after not in BY_STAFF:
        raise IllegalTransition(f"Staff can't make an order {after.value}")
