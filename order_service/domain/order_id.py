"""The ids of orders: ULIDs, which sort by the time of the order."""

from datetime import datetime

from ulid import ULID


def new_id(moment: datetime) -> str:
    """The id of an order placed at `moment`; ids sort by time."""
    return str(ULID.from_datetime(moment))


def first_id(moment: datetime) -> str:
    """The smallest id of an order placed at `moment` or later."""
    milliseconds = max(0, -(-int(moment.timestamp() * 1_000_000) // 1000))
    return str(ULID.from_bytes(milliseconds.to_bytes(6, "big") + bytes(10)))
