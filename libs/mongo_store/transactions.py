"""One transaction: an aggregate and its events, tried again after write conflicts."""

import contextvars
import random
import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import ParamSpec

import pymongo
from pymongo.client_session import ClientSession
from pymongo.errors import ExecutionTimeout, PyMongoError

from libs.mongo_store.connection import TIMEOUT_MS, Db, T, is_unavailable

PAUSE_SECONDS = 0.02  # at most, between two attempts
ATTEMPT_SECONDS = 0.1  # a later attempt needs it: what the limit cuts off may reach the server after the release
RELEASE_SECONDS = 0.5  # for the end of a transaction whose own time may be over
WORK_SECONDS = TIMEOUT_MS / 1000 - RELEASE_SECONDS

P = ParamSpec("P")


class WriteConflict(ExecutionTimeout):
    """Other writers changed the same documents until the time was over. No other ExecutionTimeout is one."""


class _Conflict(Exception):
    """A write conflict, or a broken connection: the work may be tried again. The cause is the driver's error."""


def in_transaction(db: Db, work: Callable[[ClientSession], T]) -> T:
    """Run `work(session)` in one transaction, again after a write conflict, within WORK_SECONDS (the driver's limit is 120 s).

    The pauses between attempts are short. The driver's pauses grow to half a second. With them a writer of a document that others
    change all the time never succeeds (docs/adr/0028). A transaction that fails is ended on the server before this returns.
    """
    end = time.monotonic() + WORK_SECONDS
    committing = False

    def attempt(session: ClientSession) -> T:
        nonlocal committing
        committing = False
        try:
            result = work(session)
        except BaseException as error:
            _release(session, error)
            if isinstance(error, PyMongoError) and error.has_error_label("TransientTransactionError"):
                raise _Conflict from error
            raise
        committing = True
        return result

    with db.client.start_session() as session, pymongo.timeout(WORK_SECONDS):
        while True:
            try:
                return session.with_transaction(attempt)
            except _Conflict as conflict:
                pause = random.uniform(0, PAUSE_SECONDS)
                if time.monotonic() + pause + ATTEMPT_SECONDS >= end:
                    if (cause := conflict.__cause__) and is_unavailable(cause):
                        raise cause from conflict
                    raise WriteConflict("write conflicts") from conflict
                time.sleep(pause)
            except PyMongoError as error:
                if committing:
                    _release(session, error)
                raise


def _release(session: ClientSession, error: BaseException) -> None:
    """End the transaction on the server, within RELEASE_SECONDS. Otherwise it locks its documents until the server's limit.

    It runs outside of all of the caller's time limits, because they may be over, and the driver then sends nothing. After an
    error of the connection or of a time limit the driver does not know the state, so the server ends what there is.
    """

    def release() -> None:
        with suppress(PyMongoError), pymongo.timeout(RELEASE_SECONDS):
            if isinstance(error, Exception) and is_unavailable(error):
                session.client.admin.command("killSessions", [session.session_id])
            if session.in_transaction:
                session.abort_transaction()

    contextvars.Context().run(release)


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
