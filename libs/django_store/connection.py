"""Database connections of threads that no request brings to life: Django looks after those of requests only."""

from django.db import close_old_connections, connection


def renew_connection() -> None:
    """Before work: look at this thread's connection if an error came through it, and drop it if it is broken.

    A connection that has done well is not pinged, unlike a request's: work that finds it broken is done again anyway.
    """
    if connection.errors_occurred and not connection.in_atomic_block:
        close_old_connections()
