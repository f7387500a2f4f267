"""The cluster that a service knows, and its topics, on a real broker."""

import secrets
import threading

import pytest
from confluent_kafka import KafkaException
from pymongo.errors import ServerSelectionTimeoutError

from libs.messaging.kafka.clients import make_admin
from libs.messaging.kafka.cluster import Cluster, WrongCluster, accept_cluster, read_cluster_id
from libs.messaging.kafka.topics import create_topics
from libs.mongo_store.cluster import MongoCluster
from libs.runtime.worker import SupervisedThread
from libs.tests.integration.messaging.test_consumer import wait_until


@pytest.fixture
def store(db):
    return MongoCluster(db)


@pytest.fixture
def topics():
    return {f"t-{secrets.token_hex(4)}": {"partitions": 1, "config": {"retention.ms": "3600000"}} for _ in range(2)}


def existing(kafka):
    return set(make_admin(kafka).list_topics(timeout=10).topics)


def delete(kafka, topic):
    admin = make_admin(kafka)
    admin.delete_topics([topic])[topic].result(10)
    wait_until(lambda: topic not in existing(kafka))


def test_the_first_start_keeps_the_cluster_and_creates_the_topics(kafka, store, topics):
    Cluster(kafka, topics, store).prepare(threading.Event())
    assert store.known() == read_cluster_id(kafka)
    assert set(topics) <= existing(kafka)


def test_another_cluster_ends_the_thread_until_it_is_accepted(kafka, store, topics, capsys):
    store.keep("the-one-of-before")
    cluster, stop = Cluster(kafka, topics, store), threading.Event()
    with pytest.raises(WrongCluster, match="the-one-of-before"):
        cluster.prepare(stop)
    assert not set(topics) & existing(kafka)
    thread = SupervisedThread(cluster.task(), stop, cluster.prepare)
    thread.start()
    thread.join(20)
    assert thread.problem() == "died"
    assert accept_cluster(kafka, store) == 0
    assert "it was the-one-of-before" in capsys.readouterr().out
    cluster.prepare(stop)
    assert set(topics) <= existing(kafka)


def test_a_topic_that_is_deleted_while_the_service_runs_is_made_again(kafka, store, topics):
    cluster, (lost, _) = Cluster(kafka, topics, store), topics
    cluster.prepare(threading.Event())
    task = cluster.task()
    task._run_once()
    assert task.status() == {"topicsCreated": 0}
    delete(kafka, lost)
    wait_until(lambda: task._run_once() and task.status() == {"topicsCreated": 1})
    assert lost in existing(kafka)


def test_a_cluster_that_changes_while_the_service_runs_ends_the_task(kafka, store, topics):
    cluster = Cluster(kafka, topics, store)
    cluster.prepare(threading.Event())
    store.keep("another")
    with pytest.raises(WrongCluster):
        cluster.task()._run_once()


def test_nothing_happens_while_no_broker_answers(store, topics, monkeypatch):
    monkeypatch.setattr("libs.messaging.kafka.cluster.ADMIN_SECONDS", 0.2)
    cluster = Cluster("127.0.0.1:1", topics, store)
    cluster.task()._run_once()
    assert store.known() is None
    with pytest.raises(KafkaException):
        accept_cluster("127.0.0.1:1", store)


def test_the_start_waits_for_the_database(kafka, store, topics, monkeypatch):
    monkeypatch.setattr("libs.messaging.kafka.cluster.RETRY_SECONDS", 0.01)
    answers = iter([ServerSelectionTimeoutError("away"), None])

    def known():
        if error := next(answers):
            raise error

    monkeypatch.setattr(store, "known", known)
    Cluster(kafka, topics, store).prepare(threading.Event())
    assert set(topics) <= existing(kafka)


def test_creating_topics_leaves_those_that_exist(kafka, topics):
    assert create_topics(kafka, topics) == sorted(topics)
    assert create_topics(kafka, topics) == []
