"""The periodic task for requests without a reply: resend reservation requests and cancellations, time pending orders out.

Both times count from the publication of the request. No order is cancelled while replies are not handled, or Kafka is unavailable.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from confluent_kafka import KafkaException

from libs.django_store.connection import database_time, renew_connection
from libs.django_store.failures import is_temporary
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.group_progress import GroupProgress
from libs.runtime.logs import get_logger
from libs.runtime.periodic import PeriodicTask
from order_service.events.topics import STOCK, STOCK_GROUP
from order_service.queries.figures import oldest_pending_seconds
from order_service.store.requests import release_requests
from order_service.use_cases.orders.time_out_order import time_out_overdue_orders
from order_service.use_cases.stock.resend_release_requests import resend_release_requests
from order_service.use_cases.stock.resend_reservation_requests import resend_reservation_requests

log = get_logger(__name__)

INTERVAL_SECONDS = 1.0


def stock_progress(brokers: Brokers) -> Callable[[], datetime | None]:
    """The time, by the database's clock, before which order_service has handled all replies of product_service.

    None when there is none yet, or Kafka is unavailable.
    """
    progress = GroupProgress(brokers, STOCK_GROUP, STOCK, database_time)

    def handled_until() -> datetime | None:
        try:
            return progress.handled_until()
        except KafkaException as error:
            log.warning("Kafka unavailable, no order times out", error=error.args[0].name())
            return None

    return handled_until


def make_reservation_requests(pending_limit: int, handled_until: Callable[[], datetime | None]) -> PeriodicTask:
    """The task. Any number of workers may run it. Its status also has the age of the oldest pending order, and how
    many cancellations have no reply.

    `pending_limit`: seconds from the publication of a request to the cancellation of its order. `handled_until`: the time before
    which all replies are handled.
    """

    def work() -> Mapping[str, int]:
        renew_connection()
        resent = resend_reservation_requests() + resend_release_requests()
        timed_out = time_out_overdue_orders(pending_limit=pending_limit, handled_until=handled_until)
        return {"timedOut": timed_out, "askedAgain": resent}

    return PeriodicTask(
        "asking",
        work,
        seconds=INTERVAL_SECONDS,
        is_temporary=is_temporary,
        counts=["askedAgain", "timedOut"],
        status=partial(_oldest_pending, pending_limit),
    )


def _oldest_pending(pending_limit: int) -> Mapping[str, object]:
    renew_connection()
    seconds = round(oldest_pending_seconds(), 1)
    late = {"problem": f"an order has been pending for {seconds:.0f} s"} if seconds > pending_limit else {}
    return {"oldestPendingSeconds": seconds, "openCancellations": release_requests.count(), **late}
