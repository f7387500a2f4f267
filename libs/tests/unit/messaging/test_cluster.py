"""The task that checks the cluster, while the database or Kafka does not serve."""

import threading

import pytest
from confluent_kafka import KafkaError, KafkaException
from django.db import OperationalError
from pymongo.errors import OperationFailure

from libs.django_store.cluster import DjangoCluster
from libs.messaging.kafka import cluster as module
from libs.messaging.kafka.cluster import Cluster
from libs.mongo_store.cluster import MongoCluster

AWAY = [
    (MongoCluster, OperationFailure("Authentication failed.", 18)),
    (DjangoCluster, OperationalError(1045, "Access denied")),
    (DjangoCluster, OperationalError(1290, "running with --read-only")),
    (MongoCluster, KafkaException(KafkaError(KafkaError._TRANSPORT))),
]


class Store:
    """Raises each of `errors` once, then knows the cluster."""

    def __init__(self, kind, *errors):
        self.is_temporary, self.errors = kind.is_temporary, list(errors)

    def known(self):
        if self.errors:
            raise self.errors.pop()
        return "this"


@pytest.fixture(autouse=True)
def _brokers(monkeypatch):
    monkeypatch.setattr(module, "read_cluster_id", lambda brokers: "this")
    monkeypatch.setattr(module, "create_topics", lambda brokers, topics: [])
    monkeypatch.setattr(module, "create_topics_patiently", lambda brokers, topics, stop: None)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)


@pytest.mark.parametrize(("kind", "error"), AWAY, ids=repr)
def test_the_check_is_postponed(kind, error):
    store = Store(kind, error)
    task = Cluster("nowhere", {}, store).task()
    assert task._run_once() == 0.0  # due again with the next turn
    assert task._run_once() == module.CHECK_SECONDS
    assert store.errors == []


@pytest.mark.parametrize(("kind", "error"), AWAY, ids=repr)
def test_the_start_waits(kind, error):
    store = Store(kind, error, error)
    Cluster("nowhere", {}, store).prepare(threading.Event())
    assert store.errors == []


def test_a_defect_ends_the_check():
    with pytest.raises(KeyError):
        Cluster("nowhere", {}, Store(MongoCluster, KeyError("a bug"))).task()._run_once()
