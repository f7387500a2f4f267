"""Reads the ledger: the last half hour first, so that mails can go out, then the rest behind it, then what is written anew.

Absence from the ledger proves that a mail was not sent, but only for events after the horizon. The horizon is ten minutes after
the oldest record that was read and kept, because clocks differ. When no record was dropped, it is ten minutes before the
ledger began.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException

from contracts import topic_settings
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.topic_follower import TopicFollower, TopicOffsets
from libs.runtime.logs import get_logger
from notification_service.domain.ledger_origin import LedgerOrigin
from notification_service.events.published import MailSent
from notification_service.store.mail_ledger import MailLedger
from notification_service.store.sent_ids import time_of

log = get_logger(__name__)

RECENT_MS = 30 * 60_000
MARGIN_MS = 10 * 60_000
STALLED_SECONDS = 45.0
RETRY_SECONDS = 2.0
CLIENT = "notification-service-ledger"
# A record that waits takes 2 KB in the client. With longer queues a start with 40,000 records took 83 MiB more, and kept them.
AHEAD = {"queued.min.messages": 2000}
# As many records as there are, five times a second.
FETCH = {"fetch.wait.max.ms": 200, "fetch.min.bytes": 1_000_000} | AHEAD
BULK = {"max.partition.fetch.bytes": 131_072} | AHEAD


class Origins(Protocol):
    """Keeps where the ledger began, outside of it."""

    def origin(self) -> LedgerOrigin | None: ...
    def put_origin(self, origin: LedgerOrigin) -> None: ...


class LedgerReader:
    """A background task that reads the ledger. `heartbeat` is time.monotonic() of its last turn."""

    name = "mail-ledger"

    def __init__(self, brokers: Brokers, ledger: MailLedger, origins: Origins) -> None:
        self._brokers, self._ledger, self._origins = brokers, ledger, origins
        self._offsets, self._asked = TopicOffsets(brokers), TopicOffsets(brokers)
        self._follower: TopicFollower | None = None
        self._changed, self._recent, self._complete = threading.Condition(), False, False
        self._begun, self._read_from, self._got_at = 0, 0, time.monotonic()
        self.heartbeat = time.monotonic()

    @property
    def is_complete(self) -> bool:
        """True once all records of before the start were read."""
        return self._complete

    @property
    def horizon(self) -> int:
        """For events since this time (ms since the epoch) absence from the ledger proves that no mail was sent."""
        retention = int(topic_settings(MailSent.topic)[MailSent.topic]["config"]["retention.ms"])
        known = [time.time_ns() // 1_000_000 - retention, self._ledger.ids.kept_from]
        if not self._complete:
            known.append(self._read_from)
        return max(self._begun - MARGIN_MS, *(since + MARGIN_MS for since in known if since))

    def status(self) -> dict[str, object]:
        """`mails`: how many ids are known. `complete`: whether all were read. `problem`: in words."""
        stalled = not self._complete and time.monotonic() - self._got_at > STALLED_SECONDS
        problem = {"problem": "Kafka returns no part of the ledger"} if stalled else {}
        return {"mails": len(self._ledger.ids), "complete": self._complete, **problem}

    def proves_absence(self, event_id: str) -> bool:
        """True when the mail of an event without a record was surely not sent."""
        return time_of(event_id) >= self.horizon

    def ends(self) -> dict[tuple[str, int], int]:
        """The present ends of the ledger. Raises KafkaException when no broker answers within 10 s."""
        return self._asked.ends(MailSent.topic)

    def has_read(self, ends: dict[tuple[str, int], int]) -> bool:
        """True when the ledger is read up to `ends`."""
        return self._recent and self._follower is not None and self._follower.has_read(ends)

    def load(self) -> None:
        """Read the ledger to its present ends. Raises KafkaException when Kafka returns nothing for 45 s."""
        with closing(TopicFollower(self._brokers, CLIENT, [MailSent.topic], settings=BULK)) as follower:
            self._got_at = time.monotonic()
            while not follower.at_end:
                self._apply(follower)
                if time.monotonic() - self._got_at > STALLED_SECONDS:
                    reason = f"{MailSent.topic} cannot be read to its end"
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, reason))
        self._complete = True

    def run(self, stop: threading.Event) -> None:
        """Read until `stop` is set."""
        while not stop.is_set():
            try:
                self._run(stop)
            except KafkaException as error:
                log.warning("ledger not read", error=str(error.args[0]))
                self._beat_until(lambda: stop.wait(0.1), RETRY_SECONDS)

    def _run(self, stop: threading.Event) -> None:
        self._begun = self._find_begin()
        self._read_from = time.time_ns() // 1_000_000 - RECENT_MS
        first = self._offsets.first_since(self._read_from, MailSent.topic)
        starts = {place: offset for place, (offset, _) in first.items()}
        with self._following(starts) as follower, closing(self._read_rest()) as rest:
            while not stop.is_set():
                self.heartbeat = time.monotonic()
                reads_rest = self._recent and not self._complete
                self._apply(follower, 0.0 if reads_rest else 0.2)
                self._recent = self._recent or follower.at_end
                if reads_rest:
                    next(rest, None)

    def _read_rest(self) -> Generator[None, None, None]:
        """Read the whole ledger behind the recent records, a part each turn."""
        began = time.monotonic()
        with closing(TopicFollower(self._brokers, f"{CLIENT}-rest", [MailSent.topic], settings=BULK)) as follower:
            while not follower.at_end:
                self._apply(follower)
                yield
        self._complete = True
        log.info("ledger read", mails=len(self._ledger.ids), seconds=round(time.monotonic() - began, 2))

    @contextmanager
    def _following(self, starts: dict[tuple[str, int], int]) -> Iterator[TopicFollower]:
        with closing(TopicFollower(self._brokers, CLIENT, [MailSent.topic], starts=starts, settings=FETCH)) as follower:
            self._follower = follower
            try:
                yield follower
            finally:
                self._follower = None

    def _apply(self, follower: TopicFollower, seconds: float = 0.2) -> None:
        for message in follower.read(seconds):
            self._ledger.apply(message)
            self._got_at = time.monotonic()

    def _find_begin(self) -> int:
        """When the ledger began, in ms since the epoch. A ledger that was lost begins with its oldest record, or now."""
        topic_id, origin = self._offsets.topic_id(MailSent.topic), self._origins.origin()
        if origin is None or origin.topic_id != topic_id:
            oldest = [at for _, at in self._offsets.first_since(0, MailSent.topic).values() if at >= 0]
            origin = LedgerOrigin(topic_id=topic_id, begun=min(oldest, default=time.time_ns() // 1_000_000))
            self._origins.put_origin(origin)
            log.info("ledger begins", begun=origin.begun, records=bool(oldest))
        return origin.begun

    def _beat_until(self, condition: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not condition():
            self.heartbeat = time.monotonic()
