"""A view of accounts in memory: which accounts are deleted, and which tokens are revoked.

It reads both topics from their start at each start of the process, without a consumer group, because this service keeps no data.
Topic user-revocations holds a revocation for an hour, and no token lives that long. Topic user-deleted is compacted: it holds
each deletion for ever, because steps of old orders and dead letters may name an address that was known before the deletion.
"""

import threading
import time
from contextlib import closing
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, Message, TopicPartition

from contracts import topic_settings
from libs.access.revocations import Revocation, Revocations
from libs.messaging.brokers import Brokers
from libs.messaging.envelope import MalformedEvent, parse
from libs.messaging.topic_reader import TopicReader
from libs.runtime.logs import get_logger
from notification_service.events.consumed import UserDeleted, UserRevocation
from notification_service.events.topics import ACCOUNT_TOPICS

log = get_logger(__name__)

LOAD_SECONDS = 45.0  # shorter than the 60 s after which a consumer that does not poll counts as hung
FETCH_MS = 100  # the view may lag by this much; fewer requests cost less


class AccountView:
    """A background task that follows the account topics."""

    name = "accounts"

    def __init__(self, brokers: Brokers, revocations: Revocations) -> None:
        """`revocations` gets the revoked tokens."""
        self._brokers, self._revocations, self._deleted = brokers, revocations, set[str]()
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
            reason = "the account topics cannot be read to their ends"
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, reason))

    def run(self, stop: threading.Event) -> None:
        """Follow the topics until `stop` is set."""
        with closing(self._reader()) as reader:
            while not stop.is_set():
                self.heartbeat = time.monotonic()
                for message in reader.read():
                    self._apply(message)
                if reader.at_end:
                    self._complete.set()

    def load(self) -> None:
        """Read the topics to their present ends. Raises KafkaException after 45 s."""
        with closing(self._reader()) as reader:
            for message in reader.read_to_end(LOAD_SECONDS):
                self._apply(message)
        self._complete.set()

    def _reader(self) -> TopicReader:
        settings = topic_settings(*ACCOUNT_TOPICS).items()
        places = [(topic, partition) for topic, each in settings for partition in range(each["partitions"])]
        starts = [TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in places]
        return TopicReader(self._brokers, "notification-service-accounts", starts, **{"fetch.wait.max.ms": FETCH_MS})

    def _apply(self, message: Message) -> None:
        try:
            event = parse(message)
            if event.is_tombstone:  # of a record that was removed; what it reported stays true
                return
            if event.type == UserDeleted.topic:
                self._deleted.add(event.read(UserDeleted).id)
            else:
                revoked = event.read(UserRevocation)
                self._revocations.add([Revocation(revoked.user_id, revoked.sid, revoked.not_before)])
        except MalformedEvent as error:  # skipped here; the other services dead-letter it
            log.error("event malformed", topic=message.topic(), reason=str(error))
