"""`python -m bench.fetch`: how quickly a consumer's client hands out events that wait, by its settings and by the way it is asked.

It starts a broker of its own. Each event is 500 bytes. The consumer takes 200 events, then does nothing for a moment.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer

from deploy.local.servers.kafka import Kafka
from deploy.local.state import State
from libs.messaging.kafka.clients import make_consumer, make_producer
from libs.messaging.kafka.topics import create_topics
from tests.environment import make_environment
from tests.stack import running

EVENTS = 100_000
BATCH, PAUSE_SECONDS = 200, 0.002
TOPIC = "bench"

Take = Callable[[Consumer], int]


def main() -> int:
    """Print a table: events a second."""
    os.environ.update(make_environment())
    brokers = os.environ["KAFKA_BROKERS"]
    with tempfile.TemporaryDirectory() as place:
        state = State(Path(place))
        state.make()
        kafka = Kafka(state, int(brokers.rpartition(":")[2]), int(os.environ["KAFKA_CONTROLLER_PORT"]))
        with running(kafka, state):
            fill(brokers)
            print("| asked by | settings | events/s |\n| --- | --- | ---: |")
            for settings in ({"fetch.queue.backoff.ms": 1000}, {"fetch.queue.backoff.ms": 10}):
                for name, take in (("poll", poll_single), ("poll, then consume", poll_many)):
                    measure(brokers, name, take, settings)
            measure(brokers, "poll, then consume", poll_many, {"queued.min.messages": 2000})
            measure(brokers, "poll, then consume", poll_many, {"queued.max.messages.kbytes": 8192})
    return 0


def fill(brokers: str) -> None:
    """Write the events."""
    create_topics(brokers, {TOPIC: {"partitions": 6, "config": {}}})
    producer = make_producer(brokers)
    for number in range(EVENTS):
        producer.produce(TOPIC, b"x" * 500, str(number).encode())
        if number % 10_000 == 0:
            producer.flush(30)
    producer.flush(60)
    producer.close()


def measure(brokers: str, name: str, take: Take, settings: dict[str, Any]) -> None:
    """Read all events from their beginning."""
    with closing(make_consumer(brokers, f"bench-{time.time_ns()}", **settings)) as consumer:
        consumer.subscribe([TOPIC])
        found, began, waiting = 0, 0.0, 0
        while found < EVENTS:
            taken = take(consumer)
            began = began or time.perf_counter()
            found, waiting = found + taken, waiting + taken
            if waiting >= BATCH:
                waiting = 0
                time.sleep(PAUSE_SECONDS)
        rate = found / (time.perf_counter() - began)
    shown = ", ".join(f"{key} = {value}" for key, value in settings.items())
    print(f"| {name} | {shown} | {rate:,.0f} |", flush=True)


def poll_single(consumer: Consumer) -> int:
    """One event."""
    message = consumer.poll(0.5)
    return int(message is not None and message.error() is None)


def poll_many(consumer: Consumer) -> int:
    """Those that have come, up to 100."""
    first = consumer.poll(0.5)
    more = [] if first is None else consumer.consume(99, 0)
    return sum(message is not None and message.error() is None for message in [first, *more])


if __name__ == "__main__":
    sys.exit(main())
