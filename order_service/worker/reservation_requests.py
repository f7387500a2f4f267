"""Orders that wait for the stock's answer: asked for again, unchanged, and cancelled when it takes too long.

An answer may be lost (a dead letter, a broker's lost data), a question too. A pending order's question is published again under its
own event id, which product_service answers with what it decided then. Both times count from when the broker had the question, so
that an outage of Kafka cancels nothing.
"""

import threading
import time
from dataclasses import fields
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import DateTimeField, F, Func

from libs.django_store.connection import UNAVAILABLE_ERRORS, renew_connection
from libs.messaging.envelope import OutboxRow
from libs.runtime.logs import get_logger
from order_service.store.models import Order, Outbox, PendingOrder, Status, now
from order_service.use_cases.orders import time_out_order

log = get_logger(__name__)

LOOK_SECONDS = 1.0
MAX_ASKS = 5  # after 30 s * 2^n each: the last one 15 minutes after the order (outbox.py sets the times)
# A look. While product_service is away every question waits unanswered, and all that were asked again are still to be read when it
# is back: ten a second cost it 4 % of its time then (263 reservations/s), and ask for 18,000 lost ones within half an hour.
MOST_ASKED = 10
MOST_CANCELLED = 100  # a look; each is a transaction of its own
COLUMNS = [field.name for field in fields(OutboxRow)]
UTC_NOW = Func(function="UTC_TIMESTAMP", template="%(function)s(6)", output_field=DateTimeField())
"""By the server's clock: two workers have one."""


class Asking:
    """A part of the worker; any number of workers may run it."""

    name = "asking"

    def __init__(self, pending_limit: int) -> None:
        """`pending_limit`: seconds from the question's publication to the cancellation."""
        self._limit, self.heartbeat = pending_limit, time.monotonic()
        self._counts = {"askedAgain": 0, "timedOut": 0}

    def status(self) -> dict[str, Any]:
        """How often since the start, and the age of the oldest order that is not decided. Raises an `UNAVAILABLE_ERRORS` error."""
        renew_connection()
        pending = Order.objects.filter(status=Status.PENDING).order_by("id")
        oldest = pending.values_list("created_at", flat=True).first()
        seconds = max(0.0, (now() - oldest).total_seconds()) if oldest else 0.0
        return {"oldestPendingSeconds": round(seconds, 1), **self._counts}

    def run(self, stop: threading.Event) -> None:
        """Look every LOOK_SECONDS until `stop` is set."""
        while not stop.is_set():
            self.heartbeat = time.monotonic()
            try:
                renew_connection()
                self._counts["timedOut"] += cancel_overdue(self._limit)
                self._counts["askedAgain"] += ask_again()
            except UNAVAILABLE_ERRORS as error:
                log.warning("nothing asked again: the database is away", error=type(error).__name__)
            stop.wait(LOOK_SECONDS)


def ask_again() -> int:
    """Put the questions that are due into the outbox, as they were; return how many."""
    with transaction.atomic():
        due = PendingOrder.objects.filter(ask_at__lte=UTC_NOW, asks__lt=MAX_ASKS).order_by("ask_at")
        questions = list(due.select_for_update(skip_locked=True)[:MOST_ASKED])
        Outbox.objects.bulk_create(
            Outbox(**{column: getattr(question, column) for column in COLUMNS}) for question in questions
        )
        asked = PendingOrder.objects.filter(pk__in=[question.pk for question in questions])
        asked.update(asks=F("asks") + 1, ask_at=None)
    for question in questions:
        log.info("asked again", order=question.aggregate_id, event_id=question.event_id, asks=question.asks + 1)
    return len(questions)


def cancel_overdue(seconds: int) -> int:
    """Cancel the orders whose question was published so many seconds ago; return how many."""
    overdue = PendingOrder.objects.filter(published_at__lt=UTC_NOW - timedelta(seconds=seconds))
    orders = list(overdue.order_by("published_at").values_list("aggregate_id", flat=True)[:MOST_CANCELLED])
    return sum(time_out_order(order_id=order_id) for order_id in orders)
