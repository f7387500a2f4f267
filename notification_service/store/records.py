"""Writes the records of sent mails, and keeps at it.

A record that the broker does not take now stays in the producer's queue, and goes out as soon as there is a broker again: before
another member of the group can take the partition over, read the ledger without it, and mail the event a second time.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import cached_property

import orjson
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from libs.messaging.clients import make_producer
from libs.messaging.envelope import Event, new_row
from libs.messaging.failures import ServerUnavailable
from libs.runtime.logs import get_logger
from notification_service.events.published import MailSent

log = get_logger(__name__)

ACKNOWLEDGED_SECONDS = 10.0
FLUSH_SECONDS = 5.0
POLL_SECONDS = 0.1


class Records:
    """A producer for topic mail-sent, made on first use: after the fork."""

    def __init__(self, brokers: str) -> None:
        self._brokers = brokers
        self._closed = threading.Event()
        self._on_their_way: dict[str, Future[None]] = {}

    def write(self, event: Event, sent: MailSent) -> None:
        """Return once the broker has the record. Raises ServerUnavailable when it has not within 10 s: call again, to wait on."""
        try:
            written = self._on_their_way.get(event.id) or self._produce(event, sent)
            written.result(ACKNOWLEDGED_SECONDS)
        except (TimeoutError, BufferError):
            raise ServerUnavailable("no Kafka broker takes the record of a sent mail") from None
        except KafkaException as error:
            self.__dict__.pop("_producer", None)  # a new one: after a fatal error the old one never works again
            raise ServerUnavailable(f"Kafka refuses the record of a sent mail: {error.args[0].name()}") from None

    def close(self) -> None:
        """Write what is on its way, if a broker takes it within 5 s, and let the producer go."""
        if "_producer" in vars(self):
            if left := self._producer.flush(FLUSH_SECONDS):
                log.error("sent mails could not be written down; they may be sent again", count=left)
            self._closed.set()

    def _produce(self, event: Event, sent: MailSent) -> "Future[None]":
        row = new_row(sent, source="notification_service", aggregate_id=event.id, sequence=0)
        headers = {name: text for name, text in orjson.loads(row.headers).items() if name != "ce_sequence"}
        written = self._on_their_way[event.id] = Future[None]()
        try:
            self._producer.produce(
                row.topic,
                row.payload.encode(),
                event.id.encode(),
                event.partition,
                headers=headers,
                on_delivery=self._teller(event.id, written),
            )
        except BaseException:
            del self._on_their_way[event.id]
            raise
        return written

    def _teller(self, event_id: str, written: "Future[None]") -> Callable[[KafkaError | None, Message], None]:
        def tell(error: KafkaError | None, _message: Message) -> None:
            self._on_their_way.pop(event_id, None)
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(KafkaException(error))

        return tell

    @cached_property
    def _producer(self) -> Producer:
        producer = make_producer(self._brokers, **{"linger.ms": 0})  # each is waited for
        threading.Thread(target=self._hear, args=[producer], name="records", daemon=True).start()
        return producer

    def _hear(self, producer: Producer) -> None:
        while not self._closed.is_set():
            producer.poll(POLL_SECONDS)
