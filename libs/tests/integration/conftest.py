"""A database of the tests' own, and eyes on Kafka."""

import time
import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer
from pymongo import MongoClient

from libs.mongo_store.connection import Db
from libs.mongo_store.outbox import MongoOutbox


@pytest.fixture
def db(mongo: str) -> Iterator[Db]:
    """A fresh database with the outbox's indexes."""
    with MongoClient(mongo, tz_aware=True, timeoutMS=4000) as client:
        name = f"libs_{uuid.uuid4().hex}"
        MongoOutbox(client[name]).ensure_indexes()
        yield client[name]
        client.drop_database(name)


@pytest.fixture
def read_topic(kafka: str):
    """`read_topic(topic, count)`: that many messages of a topic, from its start; fails when they do not come in 20 s."""

    def read(topic, count):
        consumer = Consumer(
            {"bootstrap.servers": kafka, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest", "log_level": 2}
        )
        consumer.subscribe([topic])
        messages = []
        try:
            end = time.monotonic() + 20
            while time.monotonic() < end:
                message = consumer.poll(0.1)
                if message is not None and message.error() is None:
                    messages.append(message)
                if len(messages) >= count:
                    break
        finally:
            consumer.close()
        assert len(messages) == count
        return messages

    return read
