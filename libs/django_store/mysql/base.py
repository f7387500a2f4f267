"""Django's backend for MySQL. It reports each wait for the server to `WAITS`: a connection, a ping, a statement, a commit."""

from collections.abc import Callable
from typing import Any

from django.db.backends.mysql import base

from libs.runtime import spans
from libs.runtime.database_waits import WAITS
from libs.runtime.pool_metrics import IN_USE, OPEN


def _execute(execute: Callable[..., Any], *arguments: Any) -> Any:
    with WAITS.waiting(), IN_USE.track_inprogress():
        if not spans.is_recording():
            return execute(*arguments)
        operation = str(arguments[0]).split(None, 1)[0].upper()  # the values are in other arguments
        with spans.span(operation, "client", {"db.system.name": "mysql", "db.operation.name": operation}):
            return execute(*arguments)


class DatabaseWrapper(base.DatabaseWrapper):
    """The connection of one thread. Django finds the class by its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(_execute)

    def get_new_connection(self, conn_params: Any) -> Any:
        """Connect."""
        with WAITS.waiting():
            connected = super().get_new_connection(conn_params)
        OPEN.inc()
        return connected

    def _close(self) -> None:
        if self.connection is not None:
            OPEN.dec()
        super()._close()  # type: ignore[misc] # the stubs leave it out

    def is_usable(self) -> bool:
        """Ping the server."""
        with WAITS.waiting():
            return bool(super().is_usable())

    def _commit(self) -> Any:
        with WAITS.waiting():
            return super()._commit()  # type: ignore[misc] # the stubs leave it out
