"""Parked mails: topic mail-parked, with the newest state of each mail and its event, and an index of it in memory.

Each process follows the topic, so each member of the group knows all parked mails. The key of a record is the event's id. Its value
and headers are those of the event, with one header more for the state. A record without a value ends a mail. The topic is
compacted: so it keeps the newest record of each key, and a settled mail with its token and address vanishes within two hours.

The index has no event. It is read from the topic, by the record's offset, when a mail is due.
A record with the key `ledger` says where the ledger began. It is here, so that it outlives the ledger.
"""

import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

import orjson
from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, Message, TopicPartition
from prometheus_client import Gauge

from libs.messaging.envelope import headers_of
from libs.messaging.failures import ServerUnavailable
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.producer import Producer
from libs.messaging.kafka.topic_follower import TopicOffsets
from libs.messaging.kafka.topic_reader import FOLLOWING, TopicReader
from libs.runtime.logs import get_logger
from notification_service.domain.ledger_origin import LedgerOrigin
from notification_service.domain.parked_mail import ParkedMail
from notification_service.events.topics import PARKED

log = get_logger(__name__)

PARKED_GAUGE = Gauge("mails_parked", "Mails that wait for a later try", ["state"], multiprocess_mode="livemostrecent")

STATE_HEADER = "parked"
STATE_FIELDS = frozenset(field.name for field in fields(ParkedMail)) - {"offset"}
ORIGIN_KEY = "ledger"
WAIT_SECONDS = 10.0
FETCH_SECONDS = 5.0


D = TypeVar("D", ParkedMail, LedgerOrigin, "_Origin")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """The record of a parked mail's event in its own topic: key, offset, and time in ms since the epoch."""

    key: str
    at: int
    ts: int


class ParkedMails:
    """A background task that follows the topic, and the store of parked mails."""

    name = "parked-mails"

    def __init__(self, brokers: Brokers, *, limit: int) -> None:
        """`limit`: with so many parked mails `is_full` is true."""
        self._brokers, self._limit, self._producer = brokers, limit, Producer(brokers)
        self._mails = dict[str, ParkedMail]()
        self._keys = dict[str, dict[str, ParkedMail]]()  # of each ordering key
        self._ahead = dict[str, int]()  # records of this process that the follower has not read yet: their offsets
        self._applied, self._changed, self._complete = 0, threading.Condition(), threading.Event()
        self._origin: LedgerOrigin | None = None
        self._offsets = TopicOffsets(brokers)
        self._fetcher: TopicReader | None = None
        self._fetching = threading.Lock()
        self.heartbeat = time.monotonic()
        self._count()  # without it, the metric would begin with the first parked mail

    def status(self) -> dict[str, object]:
        """`complete`: whether the topic was read to the end that it had at the start. `parked`, `oldestParkedSeconds`."""
        return {"complete": self._complete.is_set(), **self.figures()}

    def figures(self) -> dict[str, object]:
        """How many mails are parked, and for how long the oldest one is. None: there is none."""
        with self._changed:
            since = min((mail.since for mail in self._mails.values()), default=None)
        age = None if since is None else max(0, round(time.time() - since / 1000))
        return {"parked": len(self._mails), "oldestParkedSeconds": age}

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._mails

    def __len__(self) -> int:
        return len(self._mails)

    def has_key(self, ordering_key: str) -> bool:
        """True when a mail of this ordering key is parked."""
        return ordering_key in self._keys

    @property
    def is_full(self) -> bool:
        """True when no further mail should be parked."""
        return len(self._mails) >= self._limit

    def heads(self) -> list[ParkedMail]:
        """The first mail of each ordering key."""
        with self._changed:
            return [
                next(iter(mails.values())) if len(mails) == 1 else min(mails.values(), key=lambda mail: mail.rank)
                for mails in self._keys.values()
            ]

    def put(self, mail: ParkedMail, message: Message) -> None:
        """Store the state of a mail, and the message of its event.

        Raises ServerUnavailable when the broker does not acknowledge the record within 10 s.
        """
        origin = _Origin(key=(message.key() or b"").decode(), at=message.offset() or 0, ts=message.timestamp()[1])
        state = asdict(mail) | {"origin": asdict(origin)}
        del state["offset"]
        headers = [(STATE_HEADER, orjson.dumps(state)), *headers_of(message)]
        self._write(mail.event_id, mail, message.value(), headers)

    def settle(self, event_id: str) -> None:
        """End a parked mail: it was sent, it is a dead letter, or it is not needed any more. Raises ServerUnavailable."""
        self._write(event_id, None, None, [])

    def message_of(self, mail: ParkedMail) -> Message | None:
        """The message of the mail's event, as it came from its own topic. None: there is a newer state of the mail.

        Raises KafkaException or ServerUnavailable.
        """
        with self._fetching:
            if self._fetcher is None:
                self._fetcher = TopicReader(self._brokers, "notification-service-parked-mails-fetch", [])
            found = self._fetcher.read_at(PARKED, 0, mail.offset, FETCH_SECONDS)
        if found is None:
            raise ServerUnavailable("Kafka does not return a parked mail")
        if found.offset() != mail.offset:
            return None
        headers = headers_of(found)
        state = orjson.loads(next(value or b"" for name, value in headers if name == STATE_HEADER))
        origin = _made(_Origin, state["origin"])
        return Message(
            topic=mail.topic,
            partition=mail.partition,
            offset=origin.at,
            key=origin.key.encode(),
            value=found.value(),
            headers=[header for header in headers if header[0] != STATE_HEADER],
            timestamp=(1, origin.ts),
        )

    def ends(self) -> dict[tuple[str, int], int]:
        """The present end of the topic. Raises KafkaException when no broker answers within 10 s."""
        return self._offsets.ends(PARKED)

    def has_read(self, ends: dict[tuple[str, int], int]) -> bool:
        """True when the index has every record before `ends`."""
        return self._complete.is_set() and self._applied >= ends.get((PARKED, 0), 0)

    def origin(self) -> LedgerOrigin | None:
        """Where the ledger began. None: there is no record of it. Raises KafkaException when the topic is not read in 10 s."""
        if not self._complete.wait(WAIT_SECONDS):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{PARKED} is not read to its end yet"))
        return self._origin

    def put_origin(self, origin: LedgerOrigin) -> None:
        """Store where the ledger began. Raises KafkaException."""
        self._producer.send(PARKED, orjson.dumps(asdict(origin)), ORIGIN_KEY.encode(), partition=0, headers=[])
        self._origin = origin

    def run(self, stop: threading.Event) -> None:
        """Follow the topic until `stop` is set."""
        place = TopicPartition(PARKED, 0, OFFSET_BEGINNING)
        with closing(TopicReader(self._brokers, self.name, [place], **FOLLOWING)) as reader:
            while not stop.is_set():
                self.heartbeat = time.monotonic()
                messages = reader.read()
                with self._changed:
                    for message in messages:
                        self._apply(message)
                    self._applied = max(self._applied, reader.ends.get((PARKED, 0), 0))
                    self._changed.notify_all()
                if messages:
                    self._count()
                if reader.at_end:
                    self._complete.set()

    def close(self) -> None:
        """Wait at most 5 s for outstanding records, and close the clients."""
        self._producer.close()
        with self._fetching:
            fetcher, self._fetcher = self._fetcher, None
        if fetcher is not None:
            fetcher.close()

    def _write(
        self, event_id: str, mail: ParkedMail | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
    ) -> None:
        try:
            offset = self._producer.send(PARKED, value, event_id.encode(), partition=0, headers=headers)
        except KafkaException as error:
            raise ServerUnavailable(f"Kafka takes no parked mail: {error.args[0].name()}") from None
        with self._changed:
            if offset >= self._applied:  # the follower has not read it yet
                self._ahead[event_id] = max(offset, self._ahead.get(event_id, 0))
                self._index(event_id, replace(mail, offset=offset) if mail else None)

    def _apply(self, message: Message) -> None:
        offset, event_id = message.offset() or 0, (message.key() or b"").decode(errors="replace")
        self._applied = offset + 1
        if offset < self._ahead.get(event_id, 0):  # the index has a newer state, which this process wrote
            return
        self._ahead.pop(event_id, None)
        try:
            if event_id == ORIGIN_KEY:
                self._origin = _made(LedgerOrigin, orjson.loads(message.value() or b"{}"))
            else:
                self._index(event_id, None if message.value() is None else _read(message))
        except (StopIteration, ValueError, TypeError, KeyError):  # of another version; the topic keeps it
            log.error("parked mail not readable", offset=offset)

    def _index(self, event_id: str, mail: ParkedMail | None) -> None:
        if old := self._mails.pop(event_id, None):
            self._keys[old.ordering_key].pop(event_id)
            if not self._keys[old.ordering_key]:
                del self._keys[old.ordering_key]
        if mail:
            self._mails[event_id] = mail
            self._keys.setdefault(mail.ordering_key, {})[event_id] = mail

    def _count(self) -> None:
        with self._changed:
            states = Counter(mail.state for mail in self._mails.values())
        for state in ("later", "doubt", "behind"):
            PARKED_GAUGE.labels(state).set(states[state])


def _read(message: Message) -> ParkedMail:
    """The state in a record. Raises StopIteration for a record of another kind, and errors for one that is not readable."""
    header = next(value or b"" for name, value in headers_of(message) if name == STATE_HEADER)
    state: dict[str, Any] = orjson.loads(header)
    _made(_Origin, state["origin"])
    known = {name: value for name, value in state.items() if name in STATE_FIELDS}  # others are of a later version
    return replace(_made(ParkedMail, known), offset=message.offset() or 0)


def _made(kind: type[D], values: dict[str, Any]) -> D:
    """An object of a data class with texts and whole numbers. Raises TypeError for other values, and for other names.

    A text may be one that this version does not know.
    """
    types = {field.name: int if field.type is int else str for field in fields(kind)}
    made = kind(**values)
    if any(type(getattr(made, name)) is not expected for name, expected in types.items()):
        raise TypeError(kind.__name__)
    return made
