"""Database connections of a worker's threads. Django manages the connections of requests only."""

from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.db.models import DateTimeField, Func

UNAVAILABLE_ERRORS: tuple[type[Exception], ...] = (OperationalError, InterfaceError)
"""What Django raises when the database server is unavailable."""
UTC_NOW = Func(function="UTC_TIMESTAMP", template="%(function)s(6)", output_field=DateTimeField())
"""The server's time, in a statement."""


def renew_connection() -> None:
    """Before work: close this thread's connection if an error came through it and it is broken.

    A connection without an error is not pinged, unlike a request's: work on a broken connection fails and is repeated.
    """
    if connection.errors_occurred and not connection.in_atomic_block:
        close_old_connections()
