"""The ledger of sent mails: topic mail-sent, one record for each event whose mail the SMTP server took.

It is read when partitions are assigned and written after each mail. So an event that comes twice (its relay published it again,
the group was reset, the partitions moved, a dead letter was replayed) is mailed once. One window is left: a process that is
killed between the SMTP server's answer and the broker's mails that one again, under the same Message-ID. A Kafka transaction
would not close it, for SMTP has no part in one; measured, it only makes the window longer.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import closing

from confluent_kafka import OFFSET_BEGINNING, Message, TopicPartition
from prometheus_client import Counter

from libs.messaging.envelope import Event
from libs.messaging.topic_reader import TopicReader
from libs.runtime.logs import get_logger
from notification_service.events.published import MailSent
from notification_service.store.records import Records

log = get_logger(__name__)

REPEATED = Counter("mails_not_repeated", "Events that came again after their mail was sent", ["kind"])

LOAD_SECONDS = 45.0  # shorter than the patience with a consumer that does not poll, 60 s


class Ledger:
    """The event ids of sent mails, by partition of their events; about 100 bytes each."""

    def __init__(self, brokers: str) -> None:
        self._brokers, self._records = brokers, Records(brokers)
        self._sent: dict[int, set[bytes]] = {}
        self._next_offset: dict[int, int] = {}
        self._unwritten: dict[bytes, MailSent] = {}

    def load(self, partitions: Iterable[int]) -> None:
        """Read what these partitions of the ledger hold by now. Raises KafkaException when the end is not reached in 45 s.

        Partitions of other topics with the same numbers may be another member's, who writes to them too: each time they are read
        on from where the last reading ended.
        """
        began, places = time.monotonic(), [self._place(partition) for partition in set(partitions)]
        with closing(TopicReader(self._brokers, "notification-service-ledger", places)) as reader:
            for message in reader.read_to_end(LOAD_SECONDS):
                self._read(message)
        log.info("ledger read", mails=sum(map(len, self._sent.values())), seconds=round(time.monotonic() - began, 2))

    def once(self, event: Event, send: Callable[[], MailSent]) -> None:
        """Have the mail of `event` sent, unless it was, and written down. Raises ServerUnavailable, or what `send` raises."""
        key, sent = event.id.encode(), self._sent[event.partition]
        if key in sent:
            self._unwritten.pop(key, None)
            REPEATED.labels(event.type).inc()
            log.info("mailed before")
            return
        if key not in self._unwritten:
            self._unwritten[key] = send()
        self._records.write(event, self._unwritten[key])
        sent.add(key)
        del self._unwritten[key]

    def close(self) -> None:
        """Write down what is not written yet, if a broker takes it within 5 s."""
        self._records.close()

    def _place(self, partition: int) -> TopicPartition:
        self._sent.setdefault(partition, set())
        return TopicPartition(MailSent.topic, partition, self._next_offset.get(partition, OFFSET_BEGINNING))

    def _read(self, message: Message) -> None:
        partition = message.partition() or 0
        self._sent[partition].add(message.key() or b"")
        self._next_offset[partition] = (message.offset() or 0) + 1
