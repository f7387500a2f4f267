"""Reports to `WAITS` when a thread waits for MongoDB: for a connection, for the response to a command, or for a primary."""

import threading
import time
from typing import Any

from pymongo.monitoring import CommandListener, ConnectionPoolListener, TopologyListener

from libs.runtime.telemetry import spans, trace_context
from libs.runtime.telemetry.database_waits import WAITS
from libs.runtime.telemetry.pool_metrics import IN_USE, OPEN
from libs.runtime.telemetry.spans import Attributes, Span

_sent = threading.local()
"""The collection of the command that this thread has sent. The event of the response does not have it."""


def _begin_span(event: Any) -> None:
    if spans.is_recording():
        collection = event.command.get(event.command_name)
        _sent.collection = collection if isinstance(collection, str) else ""


def _end_span(event: Any, error: str) -> None:
    """A span of the command, without its values."""
    if spans.is_recording() and (context := trace_context.current()):
        ended, collection = time.time_ns(), getattr(_sent, "collection", "")
        attributes: Attributes = {"db.system.name": "mongodb", "db.operation.name": event.command_name}
        attributes["db.namespace"] = event.database_name
        if collection:
            attributes["db.collection.name"] = collection
        name = f"{event.command_name} {collection}".rstrip()
        spans.end(Span(name, "client", context.child(), ended - event.duration_micros * 1000, ended, attributes, error))


class CommandWaits(CommandListener):
    """Commands. The events come in the thread that sent the command."""

    def started(self, event: Any) -> None:
        """A command is sent."""
        WAITS.begin()
        _begin_span(event)

    def succeeded(self, event: Any) -> None:
        """Its response is here."""
        WAITS.end()
        _end_span(event, "")

    def failed(self, event: Any) -> None:
        """It has failed."""
        WAITS.end()
        _end_span(event, "failed")


class ConnectionWaits(ConnectionPoolListener):
    """Connections. It also counts them. The other events of a pool mean nothing here."""

    def connection_check_out_started(self, event: Any) -> None:
        """A thread asks for a connection."""
        WAITS.begin()

    def connection_checked_out(self, event: Any) -> None:
        """It has one."""
        WAITS.end()
        IN_USE.inc()

    def connection_check_out_failed(self, event: Any) -> None:
        """It gets none."""
        WAITS.end()

    def connection_checked_in(self, event: Any) -> None:
        """It gives it back."""
        IN_USE.dec()

    def connection_created(self, event: Any) -> None:
        """There is one connection more."""
        OPEN.inc()

    def connection_closed(self, event: Any) -> None:
        """There is one less."""
        OPEN.dec()

    def _ignore(self, event: Any) -> None: ...

    pool_created = pool_ready = pool_cleared = pool_closed = connection_ready = _ignore


class PrimaryWaits(TopologyListener):
    """The primary: without one each operation waits in the selection of a server, which has no events."""

    def opened(self, event: Any) -> None:
        """The client begins to look for servers."""

    def description_changed(self, event: Any) -> None:
        """A server changed its state."""
        WAITS.set_reachable(event.new_description.has_writable_server())

    def closed(self, event: Any) -> None:
        """The client is closed."""
