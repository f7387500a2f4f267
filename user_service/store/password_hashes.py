"""Password hashes: argon2id with 7 MiB, 5 passes and 1 thread, one of the sets that OWASP recommends as equally strong.

libsodium computes it in the least time of these sets: 8 ms on a machine with 2 cores (docs/adr/0053). It gives the memory back
after each hash. A process computes two at a time, because any client can request this work.

Accounts from before have hashes with 19 MiB and 2 passes. A login replaces them (dummy_hashes.py).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from prometheus_client import Gauge

from user_service.domain.errors import TooManyHashes
from user_service.domain.passwords import password_forms
from user_service.store.limits.rate_limits import RateLimit

PASSES, MEMORY_BYTES = 5, 7 * 2**20
PARAMETERS = f"$argon2id$v=19$m={MEMORY_BYTES // 1024},t={PASSES},p=1$"
MAX_CONCURRENT_HASHES = 2
QUEUE_SECONDS = 3.0

QUEUE = Gauge("password_hash_queue", "Requests that wait to compute a password hash", multiprocess_mode="livesum")

_turns = threading.BoundedSemaphore(MAX_CONCURRENT_HASHES)


@contextmanager
def turn(before_waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """The right to compute a hash now. Raises TooManyHashes when it does not come within QUEUE_SECONDS.

    `before_waiting` is called when it does not come at once.
    """
    if not _turns.acquire(blocking=False):
        before_waiting()
        with QUEUE.track_inprogress():
            if not _turns.acquire(timeout=QUEUE_SECONDS):
                raise TooManyHashes
    try:
        yield
    finally:
        _turns.release()


def hash_password(password: str) -> str:
    """The hash to store, with its parameters and salt. Raises TooManyHashes when it can't begin within QUEUE_SECONDS."""
    with turn():
        return argon2id.str(password.encode(), opslimit=PASSES, memlimit=MEMORY_BYTES).decode()


def verify_password(
    password: str, stored: str, limit: RateLimit | None = None, *, dummy: str = "", clears: bool = True
) -> bool:
    """True when `password` made `stored`. With an empty `stored` it is False, after the time that `dummy` takes.

    A password that is typed in another form than it is set in is compared in both, with and without an account.

    A password is counted under `limit` just before its hash is computed. A right password `clears` the count just after. So of
    right passwords at the same time, no more are counted than hashes are computed. A password that is not counted because the limit
    is reached waits for no turn. Raises TooManyHashes, TooManyAttempts.
    """
    known = stored or dummy or dummy_hash()
    with turn(limit.enforce if limit else lambda: None):
        if limit:
            limit.enforce_hit()
        right = any([fits(form, known) for form in password_forms(password)]) and bool(stored)
        if limit and right and clears:
            limit.clear()
    return right


def fits(password: str, stored: str) -> bool:
    """True when `password` made `stored`, whatever its parameters are. False for a text that is no hash."""
    try:
        return argon2id.verify(stored.encode(), password.encode())
    except CryptoError:
        return False


def needs_rehash(stored: str) -> bool:
    """True when the hash was made with other parameters than the present ones."""
    return not stored.startswith(PARAMETERS)


@cache
def dummy_hash() -> str:
    """A hash to compare with when there is no account."""
    return hash_password("no account")
