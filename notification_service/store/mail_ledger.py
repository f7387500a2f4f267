"""The ledger of sent mails: topic mail-sent, with one record for each event whose mail the SMTP server took, or was suppressed.

Each process follows all partitions of the topic, and writes a record after each mail. So an event that comes again has no
second mail: after a repeated publication, a reset of the group, a rebalance or the replay of a dead letter.
One window remains. A process that is killed between the SMTP server's reply and the broker's acknowledgement sends that mail
again, under the same Message-ID. A Kafka transaction would not close the window, because SMTP takes no part in it. Measured, it
makes the window longer.
"""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from confluent_kafka import KafkaException, Message
from prometheus_client import Counter

from libs.messaging.envelope import Event, headers_of
from libs.messaging.failures import ServerUnavailable
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.producer import Producer
from libs.runtime.logs import get_logger
from notification_service.domain.mail import SentMail
from notification_service.events.published import MailSent
from notification_service.store.own_events import BY_KEY, OwnEvent
from notification_service.store.recipient_limit import RecipientLimit
from notification_service.store.sent_ids import SentIds

log = get_logger(__name__)

REPEATED = Counter("mails_not_repeated", "Events that came again after their mail was sent", ["kind"])

COUNTED_HEADER = "counted-for"  # the recipient's hash, in the record of a mail that counts for a limit
ACKNOWLEDGED_SECONDS = 10.0
LINGER_MS = 1  # records of mails that are sent at the same time go to Kafka together


class MailLedger:
    """What is known of the ledger, and its writer. store/ledger_reader.py reads it."""

    def __init__(self, brokers: Brokers, limit: RecipientLimit | None = None, ids: SentIds | None = None) -> None:
        """`limit` gets the mails of before that count for a recipient. `ids`: where the ids are kept."""
        self._producer, self._limit = Producer(brokers, linger_ms=LINGER_MS), limit
        self.ids = ids or SentIds()
        self._unrecorded: dict[str, SentMail] = {}  # sent by this process; the record is not acknowledged yet
        self._in_flight: dict[str, Future[int]] = {}  # their records

    def has(self, event: Event) -> bool:
        """True when the event's mail has a record that was read or written by this process."""
        return event.id in self.ids

    def send_once(self, event: Event, send: Callable[[], SentMail]) -> None:
        """Call `send` unless the event's mail is in the ledger, then record the mail.

        Raises ServerUnavailable when the record is not acknowledged within 10 s. The next call for the event sends nothing and
        waits for the same record. Also raises what `send` raises.
        """
        if event.id in self.ids:
            self._settle(event.id)
            REPEATED.labels(event.type).inc()
            log.info("mail already sent")
            return
        if event.id not in self._unrecorded:
            self._unrecorded[event.id] = send()
        self._record(event.id)
        self.ids.add(event.id)
        self._settle(event.id)

    def close(self) -> None:
        """Wait at most 5 s for the acknowledgement of outstanding records."""
        if left := self._producer.close():
            log.error("sent mails are not recorded and may be sent again", count=left)

    def apply(self, message: Message) -> None:
        """Take a record that was read from the topic. A tombstone is ignored: the mail was sent all the same."""
        if message.value() is None:
            return
        event_id = (message.key() or b"").decode(errors="replace")
        with suppress(ValueError):  # the key is no id of an event
            self.ids.add(event_id)
        self._settle(event_id)
        if self._limit and (counted_for := dict(headers_of(message)).get(COUNTED_HEADER)):
            self._limit.restore(counted_for.decode(errors="replace"), event_id, message.timestamp()[1] / 1000)

    def _record(self, event_id: str) -> None:
        """Wait for the record's acknowledgement. A record that no broker takes stays queued in the producer.

        So it is written as soon as a broker is available, before another member of the group can read the ledger without it.
        """
        try:
            if event_id not in self._in_flight:
                self._in_flight[event_id] = self._produce(self._unrecorded[event_id])
            self._in_flight[event_id].result(ACKNOWLEDGED_SECONDS)
        except (TimeoutError, BufferError):
            raise ServerUnavailable("no Kafka broker takes the record of a sent mail") from None
        except KafkaException as error:
            self._in_flight.pop(event_id, None)
            raise ServerUnavailable(f"Kafka refuses the record of a sent mail: {error.args[0].name()}") from None

    def _produce(self, mail: SentMail) -> "Future[int]":
        record = OwnEvent.of(MailSent.of(mail), mail.event_id)
        headers = record.headers | ({COUNTED_HEADER: mail.counted_for} if mail.counted_for else {})
        return self._producer.produce(record.topic, record.value, record.key, partition=BY_KEY, headers=headers)

    def _settle(self, event_id: str) -> None:
        self._unrecorded.pop(event_id, None)
        self._in_flight.pop(event_id, None)
