"""Password hashes: argon2id with OWASP's smallest recommended parameters (19 MiB, 2 passes, 1 lane): 28 ms on 2 cores.

Two at a time in a process: a hash is work and memory that anybody may ask for. They have two threads of their own, for malloc
keeps 19 MiB for each thread that ever made one: after 64 hashes a process stood at 52 MiB, with eight threads at 166.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from user_service.domain.errors import TooManyHashes

AT_ONCE = 2
QUEUE_SECONDS = 3.0

T = TypeVar("T")

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_turns = threading.BoundedSemaphore(AT_ONCE)
_threads = ThreadPoolExecutor(AT_ONCE, "password-hash")


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=QUEUE_SECONDS):
        raise TooManyHashes
    try:
        yield
    finally:
        _turns.release()


def _apart(work: Callable[..., T], *arguments: str) -> T:
    try:
        job = _threads.submit(work, *arguments)
    except RuntimeError:  # the process ends and starts nothing any more; its last requests hash in their own threads
        return work(*arguments)
    return job.result()


def hash_password(password: str) -> str:
    """The hash to store, with its parameters and salt. Raises TooManyHashes when its turn does not come in 3 s."""
    with _turn():
        return _apart(_hasher.hash, password)


class Attempts(Protocol):
    """What counts wrong passwords."""

    def count(self) -> None: ...
    def forget(self) -> None: ...


def verify_password(password: str, stored: str | None, attempts: Attempts | None = None) -> bool:
    """True when `password` made `stored`. Without a stored hash it takes as long, and is False. Raises TooManyHashes.

    It is counted when its turn has come, and forgotten in the same turn when it is right: so right ones that come all at
    once are never more than those that are hashed at a time.
    """
    known = stored or _nobodys_hash()
    with _turn():
        if attempts:
            attempts.count()
        right = _fits(password, known) and stored is not None
        if attempts and right:
            attempts.forget()
    return right


def _fits(password: str, stored: str) -> bool:
    try:
        return _apart(_hasher.verify, stored, password)
    except (Argon2Error, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """True when the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


@cache
def _nobodys_hash() -> str:
    return hash_password("nobody")
