"""What the tests act with: the rest of the shop, a running consumer, and the service as a process of its own."""

import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import orjson
from confluent_kafka import Consumer, TopicPartition

from contracts import topic_settings
from libs.access.revocations import Revocations
from libs.messaging.envelope import EventData, OutboxRow, new_row
from libs.messaging.kafka.clients import make_producer
from libs.messaging.kafka.topics import create_topics, dead_letter_topic
from libs.values.times import rfc3339
from notification_service.api.sample_data import SAMPLES
from notification_service.config import Config
from notification_service.domain.mail import Mail
from notification_service.events.topics import ACCOUNT_TOPICS, GROUP, MAIL_TOPICS
from notification_service.worker.process import Worker, make_composer

ROOT = Path(__file__).parents[3]
LINE = {"name": "Lamp", "quantity": 2, "unitPrice": "9.95", "lineTotal": "19.90", "version": 1, "productId": "b" * 24}


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
    return result


def compose(config: Config, recipient: str, kind: str = "order-placed") -> Mail:
    """A mail of that kind, the same at each call."""
    return make_composer(config).compose(kind, event_id="e1", recipient=recipient, content=SAMPLES["usual"][kind])


@dataclass
class Person:
    username: str
    email: str


def link(person: Person, seconds: float, user_id: str = "a" * 24) -> dict[str, Any]:
    """The data of a user-mail-requested whose link expires in so many seconds."""
    expires_at = rfc3339(datetime.now(UTC) + timedelta(seconds=seconds))
    data = {"kind": "reset", "userId": user_id, "username": person.username, "email": person.email}
    return data | {"token": "t" * 43, "expiresAt": expires_at}


class AnyData(EventData):
    """Data of any shape."""

    model_config = {"extra": "allow"}


def any_row(topic: str, data: dict[str, Any], key: str, sequence: int = 1) -> OutboxRow:
    """The outbox row of an event that says `data`."""
    return new_row(
        type("Any", (AnyData,), {"topic": topic})(**data), source="test", aggregate_id=key, sequence=sequence
    )


class Shop:
    """Stands for the other services: it publishes their events."""

    def __init__(self, brokers: str) -> None:
        create_topics(brokers, topic_settings(*MAIL_TOPICS, *ACCOUNT_TOPICS))
        self._brokers, self._producer = brokers, make_producer(brokers)

    def close(self) -> None:
        self._producer.close()

    def renew(self) -> None:
        """Use a new client, which knows new partitions at once."""
        self._producer.close()
        self._producer = make_producer(self._brokers)

    def publish_raw(self, topic: str, value: bytes | None, key: bytes | None, headers: Any, **where: Any) -> None:
        self._producer.produce(topic, value, key, headers=headers, **where)
        assert self._producer.flush(10) == 0

    def publish(
        self, topic: str, data: dict[str, Any], key: str = "a", times: int = 1, sequence: int = 1, **where: Any
    ) -> str:
        """Publish an event `times` times. Returns its id."""
        row = any_row(topic, data, key, sequence)
        for _ in range(times):
            self.publish_raw(topic, row.payload.encode(), key.encode(), orjson.loads(row.headers), **where)
        return row.event_id

    def register(self, person: Person) -> str:
        return self.publish("user-registered", {"username": person.username, "email": person.email})

    def step(
        self, topic: str, person: Person, key: str = "a", sequence: int = 1, partition: int = -1, **changes: Any
    ) -> str:
        order = {"orderId": "01K00000000000000000000000", "userId": "a" * 24, "userEmail": person.email}
        order |= {"username": person.username, "total": "19.90", "currency": "USD", "reason": None, "items": [LINE]}
        return self.publish(topic, order | changes, key, sequence=sequence, partition=partition)

    def commit(self, topic: str, partition: int, offset: int) -> None:
        """Set an offset of the service's group, which has no members."""
        admin = Consumer({"bootstrap.servers": self._brokers, "group.id": GROUP, "log_level": 2})
        try:
            admin.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
        finally:
            admin.close()

    def place_orders(self, person: Person, count: int) -> None:
        """Publish placed orders, each with its own key."""
        for _ in range(count):
            self.step("order-placed", person, secrets.token_hex(13))

    def rewind(self) -> int:
        """Set the offsets of the service's group, which has no members, to the start. Returns how many events there are."""
        admin = Consumer({"bootstrap.servers": self._brokers, "group.id": GROUP, "log_level": 2})
        try:
            parts = [TopicPartition(topic, p, 0) for topic in MAIL_TOPICS for p in range(3)]
            admin.commit(offsets=parts, asynchronous=False)
            return sum(admin.get_watermark_offsets(p, 10)[1] for p in parts)
        finally:
            admin.close()

    def dead_letters(self, topic: str, marker: bytes) -> list[Any]:
        """The dead letters of `topic` whose value or headers hold `marker`."""
        reader = Consumer({"bootstrap.servers": self._brokers, "group.id": secrets.token_hex(4), "log_level": 2})
        reader.assign([TopicPartition(dead_letter_topic(topic, GROUP), p, 0) for p in range(3)])
        found: list[Any] = []
        try:
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                found.extend(m for m in reader.consume(100, 0.1) if not m.error())
        finally:
            reader.close()
        return [m for m in found if marker in (m.value() or b"") + b"".join(v or b"" for _, v in m.headers())]


class RunningConsumer:
    """A worker of its own, alone in its group unless `alone` is False. Its consumer runs inside the `with` block."""

    def __init__(self, config: Config, alone: bool = True) -> None:
        self.ended, self._alone = list[int](), alone
        self.worker = worker = Worker.of(config, Revocations(), self.ended.append)
        self.mailer, self.ledger, self.accounts = worker.mailer, worker.ledger, worker.accounts
        self.background = worker.consumer

    def status(self) -> dict[str, Any]:
        """The status of the event consumer."""
        return self.background._threads[0].task.status()

    def settled(self) -> bool:
        """Whether every published event is handled."""
        state = self.status()
        return bool(state["assigned"] and state["broker"] and not state["lag"] and not state["retrying"])

    def __enter__(self) -> "RunningConsumer":
        self.background.start()
        partitions = 3 * len(MAIL_TOPICS)
        wait_until(lambda: self.status()["assigned"] == partitions if self._alone else self.status()["assigned"])
        return self

    def __exit__(self, *_: Any) -> None:
        self.background.stop()
        self.mailer.close()
        assert self.ended == []


class Service:
    """The running service."""

    def __init__(self, arguments, environ, log):
        self.log, self.url = log, f"http://127.0.0.1:{environ['NOTIFICATION_SERVICE_PORT']}"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=environ, stdout=output, stderr=output
            )

    def get(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def is_ready(self):
        return self.get("/health/ready")[0] == 200

    def worker(self):
        """The pid of gunicorn's worker."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def kill(self, pid, number):
        os.kill(pid, number)

    def freeze(self):
        """Stop all of its processes where they are, until `thaw`."""
        for pid in (self.process.pid, self.worker()):
            os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in (self.worker(), self.process.pid):
            os.kill(pid, signal.SIGCONT)

    def consumer(self):
        """The status of its event consumer, or {}."""
        checks = orjson.loads(self.get("/health")[1] or b"{}").get("checks", {})
        return checks.get("consumer", {}).get("parts", {}).get(GROUP, {})

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)
