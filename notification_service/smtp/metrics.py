"""What became of mails, and how long the mails about an order take, as metrics."""

import time
from contextlib import suppress
from typing import Literal

from prometheus_client import Counter, Histogram
from ulid import ULID

from notification_service.domain.mail import Mail

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)
"""Seconds. The goal is 2 s for 95 % of the mails (docs/guarantees.md)."""
TIMED_KINDS = ("order-placed", "order-confirmed", "order-rejected")
"""The mails that follow an order by themselves. The others wait for staff or for the customer."""

MAILS = Counter("mails_total", "Mails by what became of them", ["kind", "outcome"])
ORDER_MAIL_SECONDS = Histogram(
    "order_mail_seconds", "Time from an order until the SMTP server took the mail", ["kind"], buckets=BUCKETS
)


def count_mail(kind: str, outcome: Literal["sent", "suppressed", "parked", "refused", "expired"]) -> None:
    """Count a mail. A mail that is parked is counted again when it is sent or refused."""
    MAILS.labels(kind, outcome).inc()


def observe_sent(mail: Mail) -> None:
    """Count a mail that the SMTP server took, and observe its time. An order's id contains the time of the order."""
    count_mail(mail.kind, "sent")
    if mail.order_id and mail.kind in TIMED_KINDS:
        with suppress(ValueError):  # an id of another form: the mail is sent, so this must not fail
            placed_at = ULID.from_str(mail.order_id).timestamp
            ORDER_MAIL_SECONDS.labels(mail.kind).observe(max(0.0, time.time() - placed_at))
