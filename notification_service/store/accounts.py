"""A view of accounts in memory: which accounts are deleted, and which tokens are revoked.

It reads both topics from their start at each start of the process, without a consumer group, because this service keeps no data.
Topic user-revocations holds a revocation for an hour, and no token lives that long. Topic user-deleted is compacted: it holds
each deletion for ever, because steps of old orders and dead letters may name an address that was known before the deletion.
"""

import threading
import time
from contextlib import closing
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message

from libs.access.revocations import Revocation, Revocations
from libs.messaging.envelope import MalformedEvent, parse
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.topic_follower import TopicFollower
from libs.messaging.kafka.topic_reader import FOLLOWING
from libs.runtime.logs import get_logger
from notification_service.events.consumed import UserDeleted, UserRevocation
from notification_service.events.topics import ACCOUNT_TOPICS

log = get_logger(__name__)

LOAD_SECONDS = 45.0
RETRY_SECONDS = 2.0


class AccountView:
    """A background task that follows the account topics."""

    name = "accounts"

    def __init__(self, brokers: Brokers, revocations: Revocations) -> None:
        """`revocations` gets the revoked tokens. After those of before the start `know_all` is called."""
        self._brokers, self._revocations, self._deleted = brokers, revocations, set[str]()
        self._complete, self.heartbeat = threading.Event(), time.monotonic()

    def status(self) -> dict[str, Any]:
        """`complete`: whether the topics were read to the ends that they had at the start. `gone`: deleted accounts."""
        return {"complete": self._complete.is_set(), "gone": len(self._deleted)}

    def is_deleted(self, user_id: str) -> bool:
        """True when the account was deleted."""
        return user_id in self._deleted

    @property
    def is_complete(self) -> bool:
        """True once the topics were read to the ends that they had at the start."""
        return self._complete.is_set()

    def run(self, stop: threading.Event) -> None:
        """Follow the topics until `stop` is set."""
        while not stop.is_set():
            self.heartbeat = time.monotonic()
            try:
                self._follow(stop)
            except KafkaException as error:
                log.warning("account topics not read", error=str(error.args[0]))
                stop.wait(RETRY_SECONDS)

    def load(self) -> None:
        """Read the topics to their present ends. Raises KafkaException when that takes longer than 45 s."""
        end = time.monotonic() + LOAD_SECONDS
        with closing(self._follower()) as follower:
            while not follower.at_end:
                if time.monotonic() > end:
                    reason = "the account topics cannot be read to their ends"
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, reason))
                for message in follower.read():
                    self._apply(message)
        self._end_load()

    def _follow(self, stop: threading.Event) -> None:
        with closing(self._follower()) as follower:
            while not stop.is_set():
                self.heartbeat = time.monotonic()
                for message in follower.read():
                    self._apply(message)
                if follower.at_end:
                    self._end_load()

    def _end_load(self) -> None:
        self._revocations.know_all()
        self._complete.set()

    def _follower(self) -> TopicFollower:
        return TopicFollower(self._brokers, "notification-service-accounts", ACCOUNT_TOPICS, settings=FOLLOWING)

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
