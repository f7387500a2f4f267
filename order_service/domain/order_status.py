"""The life of an order: which status may follow which.

pending ──→ confirmed ──→ shipped ──→ delivered
   │ │          │
   │ └──────────┴──→ cancelled
   └──→ rejected

The transitions have no cycle, so an order changes its status three times at most. The reply from stock confirms or rejects. The
customer may cancel, and staff set the other statuses.
"""

from enum import StrEnum

from order_service.domain.errors import IllegalTransition


class Status(StrEnum):
    """The status of an order."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        """The status as pages show it."""
        return self.value.capitalize()


BEFORE: dict[Status, frozenset[Status]] = {
    Status.CONFIRMED: frozenset({Status.PENDING}),
    Status.REJECTED: frozenset({Status.PENDING}),
    Status.SHIPPED: frozenset({Status.CONFIRMED}),
    Status.DELIVERED: frozenset({Status.SHIPPED}),
    Status.CANCELLED: frozenset({Status.PENDING, Status.CONFIRMED}),
}
"""For each status that an order can take: the statuses that may precede it."""
BY_STAFF = frozenset({Status.SHIPPED, Status.DELIVERED, Status.CANCELLED})


def require_transition(before: Status, after: Status) -> None:
    """Raise IllegalTransition unless `after` may follow `before`."""
    if before not in BEFORE.get(after, frozenset()):
        raise IllegalTransition(f"A {before} order can't become {after}")


def require_by_staff(after: Status) -> None:
    """Raise IllegalTransition unless staff may set the status `after` at some time."""
    if after not in BY_STAFF:
        raise IllegalTransition(f"Staff can't make an order {after}")
