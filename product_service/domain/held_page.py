"""The pages in which the reservations in force are published, so that order_service can compare them with its orders."""

from collections.abc import Sequence

from product_service.domain.reservation import Reservation

MAX_RESERVATIONS = 500  # of a page
# The payload of an event has 64 KiB at most. A reservation takes 54 bytes of JSON, and each product of it up to 66 more.
MAX_ROWS = 980  # reservations and products together


def first_of(found: Sequence[Reservation]) -> tuple[Reservation, ...]:
    """The beginning of `found` that fits into a page: at least one reservation, if there is one."""
    rows, count = 0, 0
    for reservation in found[:MAX_RESERVATIONS]:
        rows += 1 + len(reservation.pieces)
        if count and rows > MAX_ROWS:
            break
        count += 1
    return tuple(found[:count])
