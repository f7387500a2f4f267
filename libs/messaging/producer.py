"""A producer that returns when the broker has the message."""

import threading
from collections.abc import Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from libs.messaging.clients import make_producer

DELIVERY_SECONDS = 10.0


class Producer:
    """Sends one message and waits for the broker to have it; from several threads at once."""

    def __init__(self, brokers: str) -> None:
        self._make = partial(make_producer, brokers, **{"linger.ms": 0})
        self._producer = self._make()
        self._closed = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while not self._closed.is_set():
            self._producer.poll(0.1)

    def close(self) -> None:
        """Let the thread go that hears the broker's answers."""
        self._closed.set()

    def send(
        self, topic: str, value: bytes | None, key: bytes | None, *, partition: int, headers: Sequence[Any]
    ) -> None:
        """Return once the broker has acknowledged the message. Raises KafkaException when it does not within 10 s."""
        answer: SimpleQueue[KafkaError | None] = SimpleQueue()
        try:
            self._producer.produce(
                topic, value, key, partition, headers=list(headers), on_delivery=lambda error, _: answer.put(error)
            )
            error = answer.get(timeout=DELIVERY_SECONDS)
        except (BufferError, Empty):
            error = KafkaError(KafkaError._TIMED_OUT, "the broker does not acknowledge")
        if error:  # a new producer: after a fatal error the old one never works again
            self._producer.purge()
            self._producer = self._make()
            raise KafkaException(error)
