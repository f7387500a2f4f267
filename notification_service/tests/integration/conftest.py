"""The service with a real SMTP sink and a real broker; tests mail to addresses of their own."""

import os
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from confluent_kafka import Consumer, TopicPartition

from chassis.env import load
from chassis.envelope import EventData, OutboxRow, new_row
from chassis.kafka import create_topics, dead_letter_topic, make_producer
from contracts import topic_settings
from notification_service.config import Config
from notification_service.consumer import GROUP, Listener
from notification_service.handlers import HANDLERS, bind_handlers
from notification_service.ledger import Ledger
from notification_service.mailer import Mailer
from notification_service.mails import Composer, Mail
from notification_service.samples import SAMPLES
from tests.smtp_sink import SmtpSink

LINE = {"name": "Lamp", "quantity": 2, "unitPrice": "9.95", "lineTotal": "19.90", "version": 1, "productId": "b" * 24}


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
    return result


@pytest.fixture
def config(smtp_sink: SmtpSink) -> Config:
    """The environment's, but for the sink's port."""
    return load(Config, {**os.environ, "SMTP_SERVER": smtp_sink.host, "SMTP_PORT": str(smtp_sink.port)})


def compose(config: Config, to: str, kind: str = "order-placed") -> Mail:
    """A mail of that kind, the same at each call."""
    return Composer(config).compose(kind, event_id="e1", to=to, values=SAMPLES[kind])


@pytest.fixture
def mail(config, person):
    return compose(config, person.email)


@pytest.fixture
def mailer(config):
    mailer = Mailer(config)
    yield mailer
    mailer.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    names = ["-subj", "/CN=sink", "-addext", "subjectAltName=IP:127.0.0.1"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(folder / "key.pem")]
    command = ["openssl", "req", "-x509", *key, "-days", "2", *names, "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder


class Listening:
    """A listener with its own mailer and ledger, alone in its group unless `alone` is False."""

    def __init__(self, config: Config, alone: bool = True) -> None:
        self.mailer, self.ended, self._alone = Mailer(config), list[int](), alone
        ledger = Ledger(config.kafka_brokers)
        handlers = bind_handlers(Composer(config), self.mailer, ledger)
        self.listener = Listener(config.kafka_brokers, handlers, ledger, config.mail_concurrency, self.ended.append)

    def state(self) -> dict[str, Any]:
        """The consumer's."""
        assert self.listener._thread
        return self.listener._thread.part.state()

    def settled(self) -> bool:
        """Whether everything that was published is handled."""
        state = self.state()
        return bool(state["assigned"] and state["broker"] and not state["lag"] and not state["retrying"])

    def __enter__(self) -> "Listening":
        self.listener.start()
        wait_until(lambda: self.state()["assigned"] == 21 if self._alone else self.state()["assigned"])
        return self

    def __exit__(self, *_: Any) -> None:
        self.listener.stop()
        self.mailer.close()
        assert self.ended == []


@pytest.fixture
def listening(config, kafka):
    with Listening(config) as listening:
        yield listening


@dataclass
class Person:
    username: str
    email: str


@pytest.fixture
def person() -> Person:
    tag = secrets.token_hex(5)
    return Person(f"u{tag}", f"u{tag}@example.com")


class AnyData(EventData):
    """Data of any shape."""

    model_config = {"extra": "allow"}


def any_row(topic: str, data: dict[str, Any], key: str) -> OutboxRow:
    """The outbox row of an event that says `data`."""
    return new_row(type("Any", (AnyData,), {"topic": topic})(**data), source="test", aggregate_id=key, sequence=1)


class Shop:
    """Plays the other services: it publishes what happens."""

    def __init__(self, brokers: str) -> None:
        create_topics(brokers, topic_settings(*HANDLERS))
        self._brokers, self._producer = brokers, make_producer(brokers)

    def close(self) -> None:
        self._producer.close()

    def publish_raw(self, topic: str, value: bytes | None, key: bytes | None, headers: Any, **where: Any) -> None:
        self._producer.produce(topic, value, key, headers=headers, **where)
        assert self._producer.flush(10) == 0

    def publish(self, topic: str, data: dict[str, Any], key: str = "a") -> str:
        """Publish an event; return its id."""
        row = any_row(topic, data, key)
        self.publish_raw(topic, row.payload.encode(), key.encode(), orjson.loads(row.headers))
        return row.event_id

    def register(self, person: Person) -> str:
        return self.publish("user-registered", {"username": person.username, "email": person.email})

    def step(self, topic: str, person: Person, **changes: Any) -> str:
        order = {"orderId": "01K00000000000000000000000", "userEmail": person.email, "username": person.username}
        order |= {"total": "19.90", "currency": "USD", "reason": None, "items": [LINE]}
        return self.publish(topic, order | changes)

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


@pytest.fixture
def shop(kafka: str):
    shop = Shop(kafka)
    yield shop
    shop.close()
