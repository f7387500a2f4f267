"""One transaction: an aggregate and its events, tried again after write conflicts."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import pymongo
from pymongo.client_session import ClientSession
from pymongo.errors import ExecutionTimeout, PyMongoError

from libs.mongo_store.connection import TIMEOUT_MS, Db, T, is_unavailable

PAUSE_SECONDS = 0.02  # at most, between two attempts

P = ParamSpec("P")


class WriteConflict(ExecutionTimeout):
    """Other writers changed the same documents until the time was over. No other ExecutionTimeout is one."""


class _Conflict(Exception):
    """A write conflict, or a broken connection: the work may be tried again. The cause is the driver's error."""


def in_transaction(db: Db, work: Callable[[ClientSession], T]) -> T:
    """Run `work(session)` in one transaction, again after a write conflict, within TIMEOUT_MS (the driver's limit is 120 s).

    The pauses between attempts are short. The driver's pauses grow to half a second. With them a writer of a document that others
    change all the time never succeeds (docs/adr/0028).
    """
    end = time.monotonic() + TIMEOUT_MS / 1000

    def attempt(session: ClientSession) -> T:
        try:
            return work(session)
        except PyMongoError as error:
            if error.has_error_label("TransientTransactionError"):
                raise _Conflict from error
            raise

    with pymongo.timeout(TIMEOUT_MS / 1000), db.client.start_session() as session:
        while True:
            try:
                return session.with_transaction(attempt)
            except _Conflict as conflict:
                pause = random.uniform(0, PAUSE_SECONDS)
                if time.monotonic() + pause >= end:
                    if (cause := conflict.__cause__) and is_unavailable(cause):
                        raise cause from conflict
                    raise WriteConflict("write conflicts") from conflict
                time.sleep(pause)


def until_written(attempt: Callable[P, T | None]) -> Callable[P, T]:
    """A use case that is repeated while it returns None: another writer changed the aggregate after it was read.

    Each attempt reads again and decides again. Raises ExecutionTimeout after TIMEOUT_MS.
    """

    @wraps(attempt)
    def repeat(*args: P.args, **kwargs: P.kwargs) -> T:
        end = time.monotonic() + TIMEOUT_MS / 1000
        while (written := attempt(*args, **kwargs)) is None:
            if time.monotonic() >= end:
                raise WriteConflict("the aggregate changes all the time")
        return written

    return repeat
