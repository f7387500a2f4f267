"""The settling time: how long after its time a change of an order may still become visible.

An order gets its time and its id before its transaction commits. So an order with an earlier time may appear late in a list. After
SETTLING_TIME that does not happen: a transaction that is older than MAX_TRANSACTION_AGE at its last write is rolled back. The rest
covers its last statements, which take 2 s each at most (settings.py), and clocks that differ by 5 s at most.
"""

from datetime import datetime, timedelta

SETTLING_TIME = timedelta(seconds=60)
MAX_TRANSACTION_AGE = timedelta(seconds=30)


def is_too_late(at: datetime, now: datetime) -> bool:
    """True when a change with the time `at` may no longer be committed."""
    return now - at > MAX_TRANSACTION_AGE
