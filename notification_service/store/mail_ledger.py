"""The ledger of sent mails: topic mail-sent, one record for each event whose mail the SMTP server took.

It is read when partitions are assigned and written after each mail. So an event that comes twice (its relay published it again,
the group was reset, the partitions moved, a dead letter was replayed) is mailed once. One window is left: a process that is
killed between the SMTP server's answer and the broker's mails that one again, under the same Message-ID. A Kafka transaction
would not close it, for SMTP has no part in one; measured, it only makes the window longer.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicPartition
from prometheus_client import Counter

from libs.messaging.clients import READER, make_consumer
from libs.messaging.envelope import Event
from libs.runtime.logs import get_logger
from notification_service.events.published import MailSent
from notification_service.store.records import Records

log = get_logger(__name__)

REPEATED = Counter("mails_not_repeated", "Events that came again after their mail was sent", ["kind"])

LOAD_SECONDS = 45.0  # shorter than the patience with a consumer that does not poll, 60 s
AT_ONCE = 1000


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
        left, began = set(partitions), time.monotonic()
        reader = make_consumer(self._brokers, "notification-service-ledger", **READER)
        try:
            reader.assign([self._place(partition) for partition in left])
            while left:
                if time.monotonic() - began > LOAD_SECONDS:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the ledger can't be read to its end"))
                for message in reader.consume(AT_ONCE, 0.1):
                    self._read(message, left)
        finally:
            reader.close()
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

    def _read(self, message: Any, left: set[int]) -> None:
        error, partition = message.error(), message.partition()
        if error is None:
            self._sent[partition].add(message.key())
            self._next_offset[partition] = message.offset() + 1
        elif error.code() == KafkaError._PARTITION_EOF:
            left.discard(partition)
        else:
            log.warning("Kafka reports", error=error.name(), detail=error.str())
