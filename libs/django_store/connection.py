"""Database connections of a worker's threads. Django manages the connections of requests only."""

from datetime import UTC, datetime

from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.db.models import DateTimeField, Func

UNAVAILABLE_ERRORS: tuple[type[Exception], ...] = (OperationalError, InterfaceError)
"""What Django raises when the database server is unavailable."""
UTC_NOW = Func(function="UTC_TIMESTAMP", template="%(function)s(6)", output_field=DateTimeField())
"""The server's time, in a statement."""


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
