"""The periodic task for pending orders: resend their reservation requests, and cancel the orders that take too long.

Both times count from the publication of the request, so an outage of Kafka cancels nothing.
"""

from collections.abc import Mapping

from libs.django_store.connection import UNAVAILABLE_ERRORS, renew_connection
from libs.runtime.periodic import PeriodicTask
from order_service.queries.figures import oldest_pending_seconds
from order_service.use_cases.resend_reservation_requests import resend_reservation_requests
from order_service.use_cases.time_out_order import time_out_overdue_orders

INTERVAL_SECONDS = 1.0


def make_reservation_requests(pending_limit: int) -> PeriodicTask:
    """The task. Any number of workers may run it. Its status also has the age of the oldest pending order.

    `pending_limit`: seconds from the publication of a request to the cancellation of its order.
    """

    def work() -> Mapping[str, int]:
        renew_connection()
        timed_out = time_out_overdue_orders(pending_limit=pending_limit)
        return {"timedOut": timed_out, "askedAgain": resend_reservation_requests()}

    return PeriodicTask(
        "asking",
        work,
        seconds=INTERVAL_SECONDS,
        unavailable=UNAVAILABLE_ERRORS,
        counts=["askedAgain", "timedOut"],
        status=_oldest_pending,
    )


def _oldest_pending() -> Mapping[str, float]:
    renew_connection()
    return {"oldestPendingSeconds": round(oldest_pending_seconds(), 1)}
