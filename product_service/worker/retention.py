"""What nobody will ask for any more is removed: marks of closed orders, prices of before."""

import threading
import time
from datetime import timedelta
from typing import Any

from libs.mongo_store.connection import UNAVAILABLE_ERRORS
from libs.runtime.logs import get_logger
from product_service.store.products import forget_prices
from product_service.store.reservations import forget_closed

log = get_logger(__name__)

EVERY_SECONDS = 300.0
BEAT_SECONDS = 5.0


class Housekeeping:
    """A part of the worker."""

    name = "housekeeping"

    def __init__(self, price_memory: timedelta) -> None:
        self._price_memory, self._due = price_memory, 0.0
        self._counts, self.heartbeat = {"reservations": 0, "priceLogs": 0}, time.monotonic()

    def status(self) -> dict[str, Any]:
        """How much was removed since the start."""
        return dict(self._counts)

    def run(self, stop: threading.Event) -> None:
        """Clean up at the start and then every EVERY_SECONDS, until `stop` is set."""
        while not stop.is_set():
            self.heartbeat = time.monotonic()
            if self.heartbeat >= self._due:
                self._due = self.heartbeat + EVERY_SECONDS
                self._clean()
            stop.wait(BEAT_SECONDS)

    def _clean(self) -> None:
        try:
            self._counts["reservations"] += forget_closed()
            self._counts["priceLogs"] += forget_prices(self._price_memory)
        except UNAVAILABLE_ERRORS as error:
            log.warning("nothing cleaned up: the database is away", error=type(error).__name__)
