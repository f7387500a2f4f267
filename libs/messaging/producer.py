"""A producer for messages whose acknowledgement the caller waits for, such as dead letters.

Its Kafka client is made on first use, because a client does not survive a fork. A thread serves the client's delivery reports.
After a failed delivery the next message gets a new client: a client that met a fatal error never works again.
"""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, Message

from libs.messaging.brokers import Brokers
from libs.messaging.clients import make_producer

DELIVERY_SECONDS = 10.0
FLUSH_SECONDS = 5.0
POLL_SECONDS = 0.1

Headers = Mapping[str, str | bytes | None] | Sequence[tuple[str, str | bytes | None]]


class Producer:
    """Produces single messages. Safe to use from several threads."""

    def __init__(self, brokers: Brokers, *, linger_ms: int = 0) -> None:
        """`linger_ms`: how long a message waits for others that are sent with it. Use it when several threads produce."""
        self._brokers, self._linger_ms = brokers, linger_ms
        self._client: confluent_kafka.Producer | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def produce(
        self, topic: str, value: bytes | None, key: bytes | None, *, partition: int, headers: Headers
    ) -> "Future[int]":
        """Queue a message. The future has its offset once the broker acknowledges it, or fails with KafkaException.

        The message stays queued without a time limit while no broker is available.
        Raises BufferError when the queue is full, and KafkaException when the client refuses the message.
        """
        return self._produce(self._current(), topic, value, key, partition=partition, headers=headers)

    def send(self, topic: str, value: bytes | None, key: bytes | None, *, partition: int, headers: Headers) -> int:
        """Return the message's offset once the broker has acknowledged it.

        Raises KafkaException when it does not within 10 s. The message is then discarded, so that the caller may send it again.
        """
        client = self._current()
        try:
            sent = self._produce(client, topic, value, key, partition=partition, headers=headers)
            return sent.result(DELIVERY_SECONDS)
        except (BufferError, TimeoutError):
            client.purge()
            self._replace(client)
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the broker does not acknowledge")) from None

    def close(self) -> int:
        """Wait at most 5 s for outstanding acknowledgements and end the thread. Returns how many messages had none."""
        with self._lock:
            client, self._client = self._client, None
        left = 0 if client is None else client.flush(FLUSH_SECONDS)
        self._closed.set()
        return left

    def _produce(
        self,
        client: confluent_kafka.Producer,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        *,
        partition: int,
        headers: Headers,
    ) -> "Future[int]":
        delivered: Future[int] = Future()

        def report(error: KafkaError | None, message: Message) -> None:
            if error is None:
                delivered.set_result(message.offset() or 0)
            else:
                self._replace(client)
                delivered.set_exception(KafkaException(error))

        sent_headers = dict(headers) if isinstance(headers, Mapping) else list(headers)
        try:
            client.produce(topic, value, key, partition, headers=sent_headers, on_delivery=report)
        except KafkaException:
            self._replace(client)
            raise
        return delivered

    def _current(self) -> confluent_kafka.Producer:
        with self._lock:
            if self._client is None:
                self._client = make_producer(self._brokers, **{"linger.ms": self._linger_ms})
                threading.Thread(target=self._serve, args=[self._client], name="producer", daemon=True).start()
            return self._client

    def _replace(self, client: confluent_kafka.Producer) -> None:
        with self._lock:
            if self._client is client:
                self._client = None

    def _serve(self, client: confluent_kafka.Producer) -> None:
        """Serve delivery reports until the client is replaced and its queue is empty, or until `close`."""
        while not self._closed.is_set() and (client is self._client or len(client)):
            client.poll(POLL_SECONDS)
