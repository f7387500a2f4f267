"""What a reservation is."""

from enum import StrEnum


class State(StrEnum):
    """What became of an order's stock."""

    RESERVED = "RESERVED"  # set aside for the order, which may still be cancelled
    REJECTED = "REJECTED"  # it never had any: one line could not be filled
    RELEASED = "RELEASED"  # the order was cancelled: it has none, and gets none
