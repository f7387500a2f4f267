"""A delivered order closes its reservation: its items have left for good, and it is in force no more."""

from libs.values.times import now
from product_service.store import reservations


def close_reservation(*, order_id: str) -> None:
    """Close the reservation of a delivered order. A repeated call changes nothing, nor does one for an order without one."""
    reservations.close(order_id, at=now())
