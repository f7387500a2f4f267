"""Database connections of threads that no request brings to life: Django looks after those of requests only."""

from django.db import close_old_connections, connection


def renew_connection() -> None:
    """Before work: drop this thread's connection if an error broke it; the next statement pings or connects anew."""
    if not connection.in_atomic_block:
        close_old_connections()
