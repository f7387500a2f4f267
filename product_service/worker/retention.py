"""The periodic task that deletes old data: closed reservations and earlier prices."""

import threading
import time
from datetime import timedelta
from typing import Any

from libs.mongo_store.connection import UNAVAILABLE_ERRORS
from libs.runtime.logs import get_logger
from product_service.store import products, reservations

log = get_logger(__name__)

PERIOD_SECONDS = 300.0
HEARTBEAT_SECONDS = 5.0


class Retention:
    """A background task of the worker."""

    name = "housekeeping"

    def __init__(self, price_memory: timedelta) -> None:
        self._price_memory, self._due = price_memory, 0.0
        self._counts, self.heartbeat = {"reservations": 0, "priceLogs": 0}, time.monotonic()

    def status(self) -> dict[str, Any]:
        """The numbers of reservations and price histories that were purged since the start."""
        return dict(self._counts)

    def run(self, stop: threading.Event) -> None:
        """Purge at the start and then every PERIOD_SECONDS, until `stop` is set."""
        while not stop.is_set():
            self.heartbeat = time.monotonic()
            if self.heartbeat >= self._due:
                self._due = self.heartbeat + PERIOD_SECONDS
                self._purge()
            stop.wait(HEARTBEAT_SECONDS)

    def _purge(self) -> None:
        try:
            self._counts["reservations"] += reservations.purge_closed()
            self._counts["priceLogs"] += products.purge_prices(self._price_memory)
        except UNAVAILABLE_ERRORS as error:
            log.warning("nothing purged: database unavailable", error=type(error).__name__)
