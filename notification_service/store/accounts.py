"""A view of accounts in memory: which accounts are deleted, and which tokens are revoked.

It reads both topics from their start at each start of the process, without a consumer group, because this service keeps no data.
Topic user-revocations holds a revocation for an hour, four times the lifetime of a token. Topic user-deleted holds a deletion for
a week. Orders that change later than that name no address.
"""

import threading
import time
from contextlib import closing
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from contracts import topic_settings
from libs.access.revocations import Revocation, Revocations
from libs.messaging.clients import READER, make_consumer
from libs.messaging.envelope import MalformedEvent, parse
from libs.runtime.logs import get_logger
from notification_service.events.consumed import UserDeleted, UserRevocation
from notification_service.events.topics import ACCOUNT_TOPICS

log = get_logger(__name__)

LOAD_SECONDS = 45.0  # shorter than the 60 s after which a consumer that does not poll counts as hung
POLL_SECONDS = 0.2
FETCH = READER | {"fetch.wait.max.ms": 100}  # new events are not urgent, and fewer requests cost less


class AccountView:
    """A background task that follows the account topics."""

    name = "accounts"

    def __init__(self, brokers: str, revocations: Revocations) -> None:
        """`revocations` gets the revoked tokens."""
        self._brokers, self._revocations, self._deleted = brokers, revocations, set[str]()
        self._unread: set[tuple[str, int]] = set()
        self._complete, self.heartbeat = threading.Event(), time.monotonic()

    def status(self) -> dict[str, Any]:
        """`complete`: whether the topics were read to the ends that they had at the start. `gone`: deleted accounts."""
        return {"complete": self._complete.is_set(), "gone": len(self._deleted)}

    def is_deleted(self, user_id: str) -> bool:
        """True when the account was deleted."""
        return user_id in self._deleted

    def await_complete(self) -> None:
        """Return once the topics were read to the ends that they had at the start. Raises KafkaException after 45 s."""
        if not self._complete.wait(LOAD_SECONDS):
            raise _incomplete()

    def run(self, stop: threading.Event) -> None:
        """Follow the topics until `stop` is set."""
        with closing(self._reader()) as reader:
            while not stop.is_set():
                self.heartbeat = time.monotonic()
                if message := reader.poll(POLL_SECONDS):
                    self._take(message)

    def load(self) -> None:
        """Read the topics to their present ends. Raises KafkaException after 45 s."""
        end = time.monotonic() + LOAD_SECONDS
        with closing(self._reader()) as reader:
            while not self._complete.is_set() and time.monotonic() < end:
                if message := reader.poll(POLL_SECONDS):
                    self._take(message)
        if not self._complete.is_set():
            raise _incomplete()

    def _reader(self) -> Consumer:
        settings = topic_settings(*ACCOUNT_TOPICS).items()
        places = [(topic, partition) for topic, each in settings for partition in range(each["partitions"])]
        self._unread = set(places)
        reader = make_consumer(self._brokers, "notification-service-accounts", **FETCH)
        reader.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in places])
        return reader

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is None:
            self._apply(message)
        elif error.code() == KafkaError._PARTITION_EOF:
            self._unread.discard((str(message.topic()), message.partition() or 0))
            if not self._unread:
                self._complete.set()
        elif error.fatal():
            raise KafkaException(error)
        else:
            log.warning("Kafka reports", error=error.name(), detail=error.str())

    def _apply(self, message: Message) -> None:
        try:
            event = parse(message)
            if event.type == UserDeleted.topic:
                self._deleted.add(event.read(UserDeleted).id)
            else:
                revoked = event.read(UserRevocation)
                self._revocations.add([Revocation(revoked.user_id, revoked.sid, revoked.not_before)])
        except MalformedEvent as error:  # skipped here; the other services dead-letter it
            log.error("event malformed", topic=message.topic(), reason=str(error))


def _incomplete() -> KafkaException:
    return KafkaException(KafkaError(KafkaError._TIMED_OUT, "the account topics cannot be read to their ends"))
