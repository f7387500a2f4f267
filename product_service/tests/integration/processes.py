"""Run the service's processes and observe what they do."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, Message

DEADLINE_SECONDS = 60

Command = Callable[..., subprocess.CompletedProcess[str]]


def run_command(*arguments: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A command of the service, to its end."""
    argv = [sys.executable, "-m", "product_service", *arguments]
    given = {**os.environ, **environ}
    return subprocess.run(argv, env=given, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)


@contextmanager
def running_worker(environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A worker. At the end of the block it gets SIGTERM and must exit with 0."""
    argv = [sys.executable, "-m", "product_service", "worker"]
    process = subprocess.Popen(argv, env={**os.environ, **environ})
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], Any]) -> Any:
    """The condition's value once it is true; fails after DEADLINE_SECONDS."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < end, "the deadline passed"
        time.sleep(0.05)
    return value


def read_events(brokers: str, topics: list[str], keys: Collection[str], count: int) -> dict[bytes, Message]:
    """By its id, each event of these keys, read from the start until there are `count`."""
    settings = {"bootstrap.servers": brokers, "group.id": f"test-{secrets.token_hex(8)}"}
    consumer = Consumer(settings | {"auto.offset.reset": "earliest"})
    consumer.subscribe(topics)
    found: dict[bytes, Message] = {}

    def read() -> bool:
        for message in consumer.consume(500, 0.1):  # many at once: those of earlier tests lie before them
            if not message.error() and (message.key() or b"").decode() in keys:
                found[dict(message.headers() or [])["ce_id"]] = message
        return len(found) == count

    wait_for(read)
    consumer.close()
    return found
