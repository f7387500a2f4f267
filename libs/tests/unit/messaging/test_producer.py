"""The producer: it waits for acknowledgements, keeps or discards a message as asked, and replaces a failed client."""

import itertools

import orjson
import pytest
from confluent_kafka import KafkaError, KafkaException, Message

from libs.messaging.kafka import producer as module
from libs.messaging.kafka.producer import Producer

MESSAGE = ("mail-sent", b"{}", b"key")
SENT = Message(offset=7)
FATAL = KafkaError(KafkaError._FATAL, "fenced")


class Client:
    """A Kafka client that answers each message as `answers` says; after those it is silent."""

    def __init__(self, *answers):
        self.answers, self.produced, self.reports, self.purged = list(answers), [], [], 0

    def produce(self, topic, value, key, partition, *, headers, on_delivery):
        if self.answers and isinstance(self.answers[0], Exception):
            raise self.answers.pop(0)
        self.produced.append((topic, orjson.loads(value), key, partition, headers))
        self.reports.append(on_delivery)
        if self.answers:
            on_delivery(self.answers.pop(0), SENT)

    def poll(self, _seconds):
        pass

    def purge(self):
        self.purged += 1

    def flush(self, _seconds):
        return len(self.produced)

    def __len__(self):
        return 0


@pytest.fixture
def clients(monkeypatch):
    """The clients that the producer gets, one after the other."""
    clients, count = [], itertools.count()
    monkeypatch.setattr(module, "DELIVERY_SECONDS", 0.05)
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.05)

    def make(_brokers, **settings):
        client = clients[next(count)]
        client.settings = settings
        return client

    monkeypatch.setattr(module, "make_producer", make)
    return clients


@pytest.fixture
def producer():
    producer = Producer("nowhere")
    yield producer
    producer.close()


def produce(producer):
    return producer.produce(*MESSAGE, partition=2, headers={"ce_id": "x"})


def send(producer):
    return producer.send(*MESSAGE, partition=2, headers=[("ce_id", b"x")])


def test_a_message_is_produced_as_given_and_its_future_ends_with_the_acknowledgement(clients, producer):
    clients.append(Client())
    delivered = produce(producer)
    assert clients[0].produced == [("mail-sent", {}, b"key", 2, {"ce_id": "x"})]
    assert not delivered.done()
    clients[0].reports[0](None, SENT)
    assert delivered.result(0) == 7


def test_a_sent_message_that_expires_fails_alone_and_the_next_one_gets_a_new_client(clients, producer):
    clients += [Client(), Client(KafkaError(KafkaError._MSG_TIMED_OUT)), Client(None)]
    other = produce(producer)
    with pytest.raises(KafkaException, match="_MSG_TIMED_OUT"):
        send(producer)
    assert clients[1].settings["message.timeout.ms"] == 50
    assert send(producer) == 7
    assert len(clients[2].produced) == 1
    assert not other.done()
    assert "message.timeout.ms" not in clients[0].settings
    assert [client.purged for client in clients] == [0, 0, 0]


def test_a_client_that_reports_nothing_at_all_is_not_waited_for(clients, producer):
    clients += [Client()]
    with pytest.raises(KafkaException, match="does not acknowledge"):
        send(producer)


def test_a_produced_message_that_no_broker_acknowledges_stays_queued(clients, producer):
    clients.append(Client())
    delivered = produce(producer)
    with pytest.raises(TimeoutError):
        delivered.result(0.05)
    assert clients[0].purged == 0
    produce(producer)
    assert len(clients[0].produced) == 2


def test_after_a_failed_delivery_there_is_a_new_client(clients, producer):
    clients += [Client(FATAL), Client(None)]
    with pytest.raises(KafkaException, match="_FATAL"):
        produce(producer).result(0)
    assert produce(producer).result(0) == 7


def test_after_a_refused_message_there_is_a_new_client(clients, producer):
    clients += [Client(KafkaException(FATAL)), Client(None)]
    with pytest.raises(KafkaException, match="_FATAL"):
        produce(producer)
    assert produce(producer).result(0) == 7


def test_a_full_queue_is_reported_and_the_client_is_kept(clients, producer):
    clients.append(Client(BufferError("full"), None))
    with pytest.raises(BufferError):
        produce(producer)
    assert produce(producer).result(0) == 7


def test_a_sent_message_that_finds_a_full_queue_counts_as_not_acknowledged(clients, producer):
    clients += [Client(BufferError("full"))]
    with pytest.raises(KafkaException, match="does not acknowledge"):
        send(producer)


def test_closing_returns_how_many_messages_were_not_acknowledged(clients):
    clients.append(Client())
    producer = Producer("nowhere")
    produce(producer)
    assert producer.close() == 1


def test_a_producer_that_produced_nothing_is_closed_without_a_client():
    producer = Producer("nowhere")
    assert producer.close() == 0
    assert producer._clients == {}
