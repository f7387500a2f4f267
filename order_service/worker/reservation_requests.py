"""The periodic task for pending orders: resend their reservation requests, and cancel the orders that take too long.

Both times count from the publication of the request, so an outage of Kafka cancels nothing.
"""

import threading
import time
from typing import Any

from libs.django_store.connection import UNAVAILABLE_ERRORS, renew_connection
from libs.runtime.logs import get_logger
from order_service.queries.figures import oldest_pending_seconds
from order_service.use_cases.resend_reservation_requests import resend_reservation_requests
from order_service.use_cases.time_out_order import time_out_overdue_orders

log = get_logger(__name__)

INTERVAL_SECONDS = 1.0


class ReservationRequests:
    """A task of the worker. Any number of workers may run it."""

    name = "asking"

    def __init__(self, pending_limit: int) -> None:
        """`pending_limit`: seconds from the publication of a request to the cancellation of its order."""
        self._limit, self.heartbeat = pending_limit, time.monotonic()
        self._counts = {"askedAgain": 0, "timedOut": 0}

    def status(self) -> dict[str, Any]:
        """Counts since the start, and the age of the oldest pending order. Raises one of UNAVAILABLE_ERRORS."""
        renew_connection()
        return {"oldestPendingSeconds": round(oldest_pending_seconds(), 1), **self._counts}

    def run(self, stop: threading.Event) -> None:
        """Work every INTERVAL_SECONDS until `stop` is set."""
        while not stop.is_set():
            self.heartbeat = time.monotonic()
            try:
                renew_connection()
                self._counts["timedOut"] += time_out_overdue_orders(pending_limit=self._limit)
                self._counts["askedAgain"] += resend_reservation_requests()
            except UNAVAILABLE_ERRORS as error:
                log.warning("no reservation request resent: the database is unavailable", error=type(error).__name__)
            stop.wait(INTERVAL_SECONDS)
