"""Django's backend for MySQL, with fewer round trips.

It reports each wait for the server to `WAITS`: a connection, a ping, a statement, the ends of a transaction.
"""

import re
import time
from collections.abc import Callable
from typing import Any

from django.db.backends.mysql import base

from libs.runtime.telemetry import spans
from libs.runtime.telemetry.database_waits import WAITS
from libs.runtime.telemetry.pool_metrics import IN_USE, OPEN
from libs.runtime.telemetry.spans import Attributes

TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+`?(\w+)", re.IGNORECASE)
"""The first table that a statement names."""
FRESH_SECONDS = 1.0  # a server that answered so recently gets no ping


def _execute(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
    with WAITS.waiting(), IN_USE.track_inprogress():
        if spans.is_recording():
            name, attributes = describe(str(sql))
            with spans.span(name, "client", attributes):
                result = execute(sql, params, many, context)
        else:
            result = execute(sql, params, many, context)
    context["connection"].answered_at = time.monotonic()
    return result


def describe(sql: str) -> tuple[str, Attributes]:
    """The name and the attributes of a statement's span. The values are in its parameters, and not in the text."""
    operation, found = sql.split(None, 1)[0].upper(), TABLE.search(sql)
    attributes: Attributes = {"db.system.name": "mysql", "db.operation.name": operation}
    if found is None:
        return operation, attributes
    return f"{operation} {found[1]}", {**attributes, "db.collection.name": found[1]}


class DatabaseWrapper(base.DatabaseWrapper):
    """The connection of one thread. Django finds the class by its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.answered_at = float(
            "-inf"
        )  # when the server executed a statement for the last time, by the monotonic clock
        self.execute_wrappers.append(_execute)

    def get_new_connection(self, conn_params: Any) -> Any:
        """Connect."""
        self.answered_at = float("-inf")
        with WAITS.waiting():
            connected = super().get_new_connection(conn_params)
        OPEN.inc()
        return connected

    def _close(self) -> None:
        if self.connection is not None:
            OPEN.dec()
        super()._close()  # type: ignore[misc] # the stubs leave it out

    def is_usable(self) -> bool:
        """Ping the server, unless it answered within the last second and no error came since. Django asks before each request."""
        if not self.errors_occurred and time.monotonic() - self.answered_at < FRESH_SECONDS:
            return True
        with WAITS.waiting():
            return bool(super().is_usable())

    def _start_transaction_under_autocommit(self) -> None:
        """Begin a transaction by one statement. Without this method Django switches autocommit off, and on after the commit."""
        with WAITS.waiting(), self.wrap_database_errors:
            self.connection.begin()

    def _commit(self) -> Any:
        with WAITS.waiting():
            return super()._commit()  # type: ignore[misc] # the stubs leave it out
