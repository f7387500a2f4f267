"""Database connections of a worker's threads. Django manages the connections of requests only."""

from django.db import InterfaceError, OperationalError, close_old_connections, connection

UNAVAILABLE_ERRORS: tuple[type[Exception], ...] = (OperationalError, InterfaceError)
"""What Django raises when the database server is unavailable."""


def renew_connection() -> None:
    """Before work: close this thread's connection if an error came through it and it is broken.

    A connection without an error is not pinged, unlike a request's: work on a broken connection fails and is repeated.
    """
    if connection.errors_occurred and not connection.in_atomic_block:
        close_old_connections()
