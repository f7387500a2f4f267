"""What happened to accounts, in memory: whose tokens ended early, and who is gone and gets no mail any more.

Both topics are read from their start at each start, by a reader that joins no group: this service keeps no data. Revocations lie
there for an hour, for tokens live a quarter of one; deletions for a week, and later events of the orders name no address.
"""

import threading
import time
from contextlib import closing
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, Message, TopicPartition

from contracts import topic_settings
from libs.access.revocations import Revocation, Revocations
from libs.messaging.envelope import Event, MalformedEvent, parse
from libs.messaging.topic_reader import TopicReader
from libs.runtime.logs import get_logger
from notification_service.events.consumed import UserDeleted, UserRevocation

log = get_logger(__name__)

TOPICS = (UserRevocation.topic, UserDeleted.topic)
LOAD_SECONDS = 45.0
FETCH_MS = 100  # an open view may lag this much


class AccountView:
    """A part of the process, fed by Kafka as long as it runs."""

    name = "accounts"

    def __init__(self, brokers: str, revocations: Revocations) -> None:
        self._brokers, self._revocations, self._gone = brokers, revocations, set[str]()
        self._complete, self.heartbeat = threading.Event(), time.monotonic()

    def status(self) -> dict[str, Any]:
        """Whether everything was read that there was at the start."""
        return {"complete": self._complete.is_set(), "gone": len(self._gone)}

    def is_gone(self, event: Event) -> bool:
        """True when the account that an event is about was deleted."""
        return str(event.data.get("userId", event.subject)) in self._gone

    def await_complete(self) -> None:
        """Return once everything was read that there was at the start. Raises KafkaException when that takes over 45 s."""
        if not self._complete.wait(LOAD_SECONDS):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the accounts' events can't be read to their end"))

    def run(self, stop: threading.Event) -> None:
        """Follow the topics until `stop` is set."""
        with closing(self._reader()) as reader:
            while not stop.is_set():
                self.heartbeat = time.monotonic()
                for message in reader.read():
                    self._take(message)
                if reader.at_end:
                    self._complete.set()

    def load(self) -> None:
        """Read what there is. Raises KafkaException when that takes over 45 s."""
        with closing(self._reader()) as reader:
            for message in reader.read_to_end(LOAD_SECONDS):
                self._take(message)
        self._complete.set()

    def _reader(self) -> TopicReader:
        places = [(name, p) for name, topic in topic_settings(*TOPICS).items() for p in range(topic["partitions"])]
        starts = [TopicPartition(name, partition, OFFSET_BEGINNING) for name, partition in places]
        return TopicReader(self._brokers, "notification-service-accounts", starts, **{"fetch.wait.max.ms": FETCH_MS})

    def _take(self, message: Message) -> None:
        try:
            event = parse(message)
            if event.type == UserDeleted.topic:
                self._gone.add(event.read(UserDeleted).id)
            else:
                ended = event.read(UserRevocation)
                self._revocations.add([Revocation(ended.user_id, ended.sid, ended.not_before)])
        except MalformedEvent as error:  # nobody waits for it, and the other services put it aside
            log.error("event malformed", topic=message.topic(), reason=str(error))
