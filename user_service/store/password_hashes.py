"""Password hashes: argon2id with the smallest parameters that OWASP recommends: 19 MiB, 2 passes, 1 thread.

A hash takes 28 ms on a machine with 2 cores. A process computes two at a time, because any client can request this work. The two
threads compute nothing else: malloc keeps 19 MiB for each thread that computed a hash. After 64 hashes a process used 52 MiB, with
eight threads 166 MiB.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from prometheus_client import Gauge

from user_service.domain.errors import TooManyHashes
from user_service.domain.passwords import password_forms
from user_service.store.rate_limits import RateLimit

MAX_CONCURRENT_HASHES = 2
QUEUE_SECONDS = 3.0

QUEUE = Gauge("password_hash_queue", "Requests that wait to compute a password hash", multiprocess_mode="livesum")

T = TypeVar("T")

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_turns = threading.BoundedSemaphore(MAX_CONCURRENT_HASHES)
_threads = ThreadPoolExecutor(MAX_CONCURRENT_HASHES, "password-hash")


@contextmanager
def _turn() -> Iterator[None]:
    with QUEUE.track_inprogress():
        if not _turns.acquire(timeout=QUEUE_SECONDS):
            raise TooManyHashes
    try:
        yield
    finally:
        _turns.release()


def _in_hash_thread(work: Callable[..., T], *arguments: str) -> T:
    try:
        job = _threads.submit(work, *arguments)
    except (
        RuntimeError
    ):  # at its end a process starts no work in other threads: its last requests compute their own hashes
        return work(*arguments)
    return job.result()


def hash_password(password: str) -> str:
    """The hash to store, with its parameters and salt. Raises TooManyHashes when it can't begin within QUEUE_SECONDS."""
    with _turn():
        return _in_hash_thread(_hasher.hash, password)


def verify_password(password: str, stored: str, limit: RateLimit | None = None) -> bool:
    """True when `password` made `stored`. With an empty `stored` it is False, after the same time.

    A password that is typed in another form than it is set in is compared in both, with and without an account.

    A password is counted under `limit` just before its hash is computed. A right password clears the count just after. So of
    right passwords at the same time, no more are counted than hashes are computed. Raises TooManyHashes, TooManyAttempts.
    """
    known = stored or dummy_hash()
    with _turn():
        if limit:
            limit.enforce_hit()
        right = any([_fits(form, known) for form in password_forms(password)]) and bool(stored)
        if limit and right:
            limit.clear()
    return right


def _fits(password: str, stored: str) -> bool:
    try:
        return _in_hash_thread(_hasher.verify, stored, password)
    except (Argon2Error, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """True when the hash was made with other parameters than the present ones."""
    return _hasher.check_needs_rehash(stored)


@cache
def dummy_hash() -> str:
    """A hash to compare with when there is no account."""
    return hash_password("no account")
