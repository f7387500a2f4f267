"""Database connections of a worker's threads. Django manages the connections of requests only."""

from datetime import UTC, datetime
from typing import TypeGuard

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connection
from django.db.models import DateTimeField, Func
from django.db.transaction import TransactionManagementError

UNAVAILABLE_ERRORS: tuple[type[Exception], ...] = (OperationalError, InterfaceError)
"""What Django raises when the database server is unavailable. `is_unavailable` finds more."""
CLIENT_CODES = range(2000, 3000)
"""MySQL's codes of its client library: a connection that is lost, or that has lost its place in the protocol (2014)."""
UNAVAILABLE_CODES = frozenset(
    {1021, 1040, 1044, 1045, 1047, 1053, 1114, 1129, 1130, 1142, 1203, 1226, 1290, 1698, 1820, 1836, 1862, 3118, 4151}
)
"""A server that is full, not ready, shutting down or read-only, or that refuses our host, login, account or rights. Codes of MySQL
and MariaDB."""
UTC_NOW = Func(function="UTC_TIMESTAMP", template="%(function)s(6)", output_field=DateTimeField())
"""The server's time, in a statement."""


def is_unavailable(error: BaseException | None) -> TypeGuard[Exception]:
    """Whether an error means that the database server does not serve now: by its class, its code, or the error before it.

    In a transaction a lost connection comes out as TransactionManagementError. Its cause is the error that broke the transaction.
    """
    if isinstance(error, UNAVAILABLE_ERRORS):
        return True
    if isinstance(error, TransactionManagementError):
        return is_unavailable(error.__cause__)
    code = error.args[0] if isinstance(error, DatabaseError) and error.args else None
    return code in CLIENT_CODES or code in UNAVAILABLE_CODES


def database_time() -> datetime:
    """The server's time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT UTC_TIMESTAMP(6)")
        moment: datetime = cursor.fetchone()[0]
        return moment.replace(tzinfo=UTC)


def renew_connection() -> None:
    """Before work: close this thread's connection if an error came through it and it is broken.

    A connection without an error is not pinged, unlike a request's: work on a broken connection fails and is repeated.
    """
    if connection.errors_occurred and not connection.in_atomic_block:
        close_old_connections()
