"""The ledger of sent mails: topic mail-sent, with one record for each event whose mail the SMTP server took, or was suppressed.

A process reads the ledger when it gets partitions, and writes a record after each mail. So an event that comes again has no
second mail: after a repeated publication, a reset of the group, a rebalance or the replay of a dead letter.
One window remains. A process that is killed between the SMTP server's reply and the broker's acknowledgement sends that mail
again, under the same Message-ID. A Kafka transaction would not close the window, because SMTP takes no part in it. Measured, it
makes the window longer.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import closing

import orjson
from confluent_kafka import OFFSET_BEGINNING, KafkaException, Message, TopicPartition
from prometheus_client import Counter

from libs.messaging.brokers import Brokers
from libs.messaging.envelope import Event, headers_of, new_row
from libs.messaging.failures import ServerUnavailable
from libs.messaging.producer import Producer
from libs.messaging.topic_reader import TopicReader
from libs.runtime.logs import get_logger
from notification_service.domain.mail import SentMail
from notification_service.events.published import MailSent
from notification_service.store.recipient_limit import RecipientLimit

log = get_logger(__name__)

REPEATED = Counter("mails_not_repeated", "Events that came again after their mail was sent", ["kind"])

COUNTED_HEADER = "counted-for"  # the recipient's hash, in the record of a mail that counts for a limit
LOAD_SECONDS = 45.0  # shorter than the 60 s after which a consumer that does not poll counts as hung
ACKNOWLEDGED_SECONDS = 10.0


class MailLedger:
    """The event ids of sent mails, by partition of their events. An id takes about 100 bytes of memory."""

    def __init__(self, brokers: Brokers, limit: RecipientLimit | None = None) -> None:
        """`limit` gets the mails of before that count for a recipient."""
        self._brokers, self._producer, self._limit = brokers, Producer(brokers), limit
        self._sent: dict[int, set[bytes]] = {}
        self._next_offset: dict[int, int] = {}
        self._unrecorded: dict[str, SentMail] = {}  # sent by this process; the record is not acknowledged yet
        self._in_flight: dict[str, Future[int]] = {}  # their records

    def load(self, partitions: Iterable[int]) -> None:
        """Read these partitions of the ledger to their present ends. Raises KafkaException after 45 s.

        Another member of the group may own partitions of other topics with the same numbers, and writes to the same partitions
        of the ledger. So each call reads on from the last offset.
        """
        began, places = time.monotonic(), [self._place(partition) for partition in set(partitions)]
        with closing(TopicReader(self._brokers, "notification-service-ledger", places)) as reader:
            for message in reader.read_to_end(LOAD_SECONDS):
                self._read(message)
        log.info("ledger read", mails=sum(map(len, self._sent.values())), seconds=round(time.monotonic() - began, 2))

    def has(self, event: Event) -> bool:
        """True when the event's mail has a record. False in a partition that was not read."""
        return event.id.encode() in self._sent.get(event.partition, ())

    def send_once(self, event: Event, send: Callable[[], SentMail]) -> None:
        """Call `send` unless the event's mail is in the ledger, then record the mail.

        Raises ServerUnavailable when the record is not acknowledged within 10 s. The next call for the event sends nothing and
        waits for the same record. Also raises what `send` raises.
        """
        sent = self._sent[event.partition]
        if event.id.encode() in sent:
            self._settle(event.id)
            REPEATED.labels(event.type).inc()
            log.info("mail already sent")
            return
        if event.id not in self._unrecorded:
            self._unrecorded[event.id] = send()
        self._record(event)
        sent.add(event.id.encode())
        self._settle(event.id)

    def close(self) -> None:
        """Wait at most 5 s for the acknowledgement of outstanding records."""
        if left := self._producer.close():
            log.error("sent mails are not recorded and may be sent again", count=left)

    def _record(self, event: Event) -> None:
        """Wait for the record's acknowledgement. A record that no broker takes stays queued in the producer.

        So it is written as soon as a broker is available, before another member of the group can read the ledger without it.
        """
        try:
            if event.id not in self._in_flight:
                self._in_flight[event.id] = self._produce(event, self._unrecorded[event.id])
            self._in_flight[event.id].result(ACKNOWLEDGED_SECONDS)
        except (TimeoutError, BufferError):
            raise ServerUnavailable("no Kafka broker takes the record of a sent mail") from None
        except KafkaException as error:
            self._in_flight.pop(event.id, None)
            raise ServerUnavailable(f"Kafka refuses the record of a sent mail: {error.args[0].name()}") from None

    def _produce(self, event: Event, mail: SentMail) -> "Future[int]":
        row = new_row(MailSent.of(mail), source="notification_service", aggregate_id=mail.event_id, sequence=0)
        headers = {name: text for name, text in orjson.loads(row.headers).items() if name != "ce_sequence"}
        if mail.counted_for:
            headers[COUNTED_HEADER] = mail.counted_for
        key, value = mail.event_id.encode(), row.payload.encode()
        return self._producer.produce(row.topic, value, key, partition=event.partition, headers=headers)

    def _settle(self, event_id: str) -> None:
        self._unrecorded.pop(event_id, None)
        self._in_flight.pop(event_id, None)

    def _place(self, partition: int) -> TopicPartition:
        self._sent.setdefault(partition, set())
        return TopicPartition(MailSent.topic, partition, self._next_offset.get(partition, OFFSET_BEGINNING))

    def _read(self, message: Message) -> None:
        partition = message.partition() or 0
        self._next_offset[partition] = (message.offset() or 0) + 1
        if message.value() is None:  # a tombstone: after the next compaction there is no record either
            self._sent[partition].discard(message.key() or b"")
            return
        self._sent[partition].add(message.key() or b"")
        counted_for = dict(headers_of(message)).get(COUNTED_HEADER)
        if counted_for and self._limit:
            event_id, at = (message.key() or b"").decode(errors="replace"), message.timestamp()[1] / 1000
            self._limit.restore(counted_for.decode(errors="replace"), event_id, at)
