"""A producer for messages whose acknowledgement the caller waits for, such as dead letters.

The messages of `produce` do not expire. Those of `send` do, each by itself, so they have a client of their own. A Kafka client is
made on first use, because a client does not survive a fork. A thread serves its delivery reports. After a failed delivery the
next message gets a new client: a client that met a fatal error never works again.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, Message

from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.clients import make_producer

DELIVERY_SECONDS = 10.0
GRACE_SECONDS = 2.0  # the client expires messages once a second
FLUSH_SECONDS = 5.0
POLL_SECONDS = 0.1

Headers = Mapping[str, str | bytes | None] | Sequence[tuple[str, str | bytes | None]]


class Producer:
    """Produces single messages. Safe to use from several threads."""

    def __init__(self, brokers: Brokers, *, linger_ms: int = 0) -> None:
        """`linger_ms`: how long a message waits for others that are sent with it. Use it when several threads produce."""
        self._brokers, self._linger_ms = brokers, linger_ms
        self._clients: dict[bool, confluent_kafka.Producer] = {}
        """The client whose messages expire (True), and the one whose do not."""
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def produce(
        self, topic: str, value: bytes | None, key: bytes | None, *, partition: int, headers: Headers
    ) -> "Future[int]":
        """Queue a message. The future has its offset once the broker acknowledges it, or fails with KafkaException.

        The message stays queued without a time limit while no broker is available.
        Raises BufferError when the queue is full, and KafkaException when the client refuses the message.
        """
        return self._produce(False, topic, value, key, partition=partition, headers=headers)

    def send(self, topic: str, value: bytes | None, key: bytes | None, *, partition: int, headers: Headers) -> int:
        """Return the message's offset once the broker has acknowledged it.

        Raises KafkaException when it does not within 10 s. The message is then discarded, so that the caller may send it again.
        """
        try:
            sent = self._produce(True, topic, value, key, partition=partition, headers=headers)
            return sent.result(DELIVERY_SECONDS + GRACE_SECONDS)
        except (BufferError, TimeoutError):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the broker does not acknowledge")) from None

    def close(self) -> int:
        """Wait at most 5 s for outstanding acknowledgements and end the thread. Returns how many messages had none."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        end = time.monotonic() + FLUSH_SECONDS
        left = sum(client.flush(max(0.0, end - time.monotonic())) for client in clients)
        self._closed.set()
        return left

    def _produce(
        self, expires: bool, topic: str, value: bytes | None, key: bytes | None, *, partition: int, headers: Headers
    ) -> "Future[int]":
        delivered, client = Future[int](), self._current(expires)

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

    def _current(self, expires: bool) -> confluent_kafka.Producer:
        with self._lock:
            if (client := self._clients.get(expires)) is None:
                settings: dict[str, int] = {"linger.ms": self._linger_ms}
                if expires:
                    settings["message.timeout.ms"] = int(DELIVERY_SECONDS * 1000)
                client = self._clients[expires] = make_producer(self._brokers, **settings)
                threading.Thread(target=self._serve, args=[client, expires], name="producer", daemon=True).start()
            return client

    def _replace(self, client: confluent_kafka.Producer) -> None:
        with self._lock:
            self._clients = {expires: kept for expires, kept in self._clients.items() if kept is not client}

    def _serve(self, client: confluent_kafka.Producer, expires: bool) -> None:
        """Serve delivery reports until the client is replaced and its queue is empty, or until `close`."""
        while not self._closed.is_set() and (client is self._clients.get(expires) or len(client)):
            client.poll(POLL_SECONDS)
