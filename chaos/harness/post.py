"""The mails to the customers of a test, beside the events that they are of."""

from __future__ import annotations

from collections import Counter

from chaos.harness.figures import note
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import wait_until
from tests.smtp_sink import SmtpSink

MAIL_CONCURRENCY = 4  # notification_service's, unless its environment says otherwise: so many mails are in flight
MAILED = (
    "user-registered",
    "user-mail-requested",
    "user-notice-requested",
    "order-placed",
    "order-confirmed",
    "order-rejected",
    "order-cancelled",
)


class Post:
    """What came for the customers whose names have the test's tag, by Message-ID."""

    def __init__(self, sink: SmtpSink, tag: str) -> None:
        self._sink, self._tag = sink, tag

    def counts(self) -> Counter[str]:
        """How often each mail came."""
        return Counter(mail.id for mail in list(self._sink.mails) if self._tag in mail.recipient)

    def wait(self, mails: int) -> None:
        """Wait until so many mails more came."""
        goal = len(self.counts()) + mails
        wait_until(lambda: len(self.counts()) >= goal, 40)

    def check(self, topics: Topics, start: Ends, goal: str = "R7") -> int:
        """One mail for each event since `start`; return how many came again."""
        tag = self._tag.encode()
        events = {record.event_id for record in topics.read(*MAILED, since=start) if tag in (record.value or b"")}
        counts = self.counts()
        again = sum(counts.values()) - len(counts)
        note(goal, f"{len(counts):,} mails for {len(events):,} events, {again} sent again")
        assert len(counts) == len(events), f"{len(events)} events, {len(counts)} different mails"
        return again
