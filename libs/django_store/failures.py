"""What the errors of MySQL and MariaDB mean for the events that a worker handles."""

from django.db import DatabaseError, InterfaceError, connection
from django.db.transaction import TransactionManagementError

from libs.django_store.connection import CLIENT_CODES, UNAVAILABLE_CODES, is_unavailable
from libs.messaging.failures import FailureKind

PING_SECONDS = 1
LOST_CODES = frozenset({1927, 2006, 2013, 2055, 4031})
"""The connection was lost or ended by the server, or an answer did not come in time."""
CONFLICT_CODES = frozenset({1205, 1213, 3572})
"""A lock was not free in time, a deadlock, a lock was not free at once."""
LIMIT_CODES = frozenset({1969, 3024})
"""The statement took too long: MariaDB, MySQL."""


def kind_of(error: Exception) -> FailureKind:
    """What `error` means, by the one list for Django's MySQL connections.

    A lost or timed-out connection is a LIMIT: the server may be well, and the statement too long.
    """
    if isinstance(error, TransactionManagementError) and isinstance(error.__cause__, Exception):
        return kind_of(error.__cause__)  # the error that broke the transaction
    if not isinstance(error, (DatabaseError, InterfaceError)):
        return FailureKind.OWN
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if code in CONFLICT_CODES:
        return FailureKind.CONFLICT
    if code in LIMIT_CODES or code in LOST_CODES:
        return FailureKind.LIMIT
    if code in UNAVAILABLE_CODES or code in CLIENT_CODES or isinstance(error, InterfaceError):
        return FailureKind.UNAVAILABLE
    return FailureKind.OWN


def is_temporary(error: Exception) -> bool:
    """Whether the same work may succeed later. Relay and periodic tasks go on then, and end by another error.

    All OperationalErrors count, also those of codes that no list has: the work has no event that could be the cause.
    """
    return kind_of(error) is not FailureKind.OWN or is_unavailable(error)


class DjangoFailures:
    """What a consumer asks."""

    def kind_of(self, error: Exception) -> FailureKind:
        """What `error` means."""
        return kind_of(error)

    def answers(self) -> bool:
        """Whether the server answers a ping on a new connection within a second."""
        probe = connection.copy()
        limits = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), PING_SECONDS)
        probe.settings_dict["OPTIONS"] = {**probe.settings_dict["OPTIONS"], **limits}
        try:
            with probe.cursor() as cursor:
                cursor.execute("SELECT 1")
        except (DatabaseError, InterfaceError):
            return False
        finally:
            probe.close()
        return True
