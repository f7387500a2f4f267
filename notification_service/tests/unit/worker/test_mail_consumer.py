"""What the mailer does with the answers and the statistics of its Kafka client."""

import json
import threading
from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaError, TopicPartition

from libs.messaging.kafka import clients
from notification_service.worker.mail_consumer import MailConsumer

PLACE = ("order-placed", 0)


@pytest.fixture
def consumer(monkeypatch):
    monkeypatch.setattr(clients, "make_consumer", lambda *_, **__: Mock())
    monkeypatch.setattr(clients, "broker_answers", lambda brokers: pytest.fail(f"asked {brokers}"))
    senders = Mock(changed=threading.Lock())
    senders.oldest.return_value = None
    senders.status.return_value = {}
    made = MailConsumer("nowhere", senders=senders, fence=Mock(), contact=Mock(), prepare=Mock())
    made._assigned = frozenset({PLACE})
    return made


@pytest.mark.parametrize(
    ("error", "is_repeated"), [(None, False), (KafkaError(KafkaError.REBALANCE_IN_PROGRESS), True)]
)
def test_a_commit_that_the_broker_refuses_is_repeated(consumer, error, is_repeated):
    repeated = []
    consumer._senders.turns.commit_again = repeated.extend
    consumer._on_commit(error, [TopicPartition(*PLACE, 5)])
    assert repeated == ([PLACE] if is_repeated else [])


@pytest.mark.parametrize(("app_offset", "seconds"), [(7, 0.0), (6, 60.0)])
def test_it_is_behind_by_what_it_has_not_fetched(consumer, monkeypatch, app_offset, seconds):
    times = [1000.0]
    monkeypatch.setattr("libs.messaging.event_metrics.time.monotonic", lambda: times[0])
    part = {"partition": 0, "consumer_lag": 1, "hi_offset": 7, "lo_offset": 0, "app_offset": app_offset}
    revoked = part | {"partition": 1, "app_offset": 0}
    topics = {PLACE[0]: {"partitions": {"0": part, "1": revoked}}}
    text = json.dumps({"ts": 60_000_000, "topics": topics, "brokers": {}})
    consumer._on_statistics(text)
    times[0] += 60
    consumer._on_statistics(text)
    assert consumer.status()["lagSeconds"] == seconds


def test_without_a_connection_it_asks_its_brokers_by_another_client(consumer):
    consumer._on_statistics(json.dumps({"ts": 60_000_000, "topics": {}, "brokers": {}}))
    with pytest.raises(pytest.fail.Exception, match="asked nowhere"):
        consumer._membership.check()
