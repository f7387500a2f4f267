"""The writer of records: the right record, waited for, and never given up."""

import orjson
import pytest
from confluent_kafka import KafkaError, KafkaException
from jsonschema import Draft202012Validator

from contracts import event_schema
from libs.messaging.envelope import Event
from libs.messaging.failures import ServerUnavailable
from notification_service.events.published import MailSent
from notification_service.store import records as module
from notification_service.store.records import Records

EVENT = Event("01K00000000000000000000000", "order-placed", "a", 7, "", {}, partition=2)
SENT = MailSent(kind="order-placed", order_id="01K00000000000000000000001", sent_at="2026-01-31T12:00:00.000Z")


class Producer:
    """Takes records, and tells what became of them as `answers` says; after those it is silent."""

    def __init__(self, *answers):
        self.answers, self.produced, self.tellers = list(answers), [], []

    def produce(self, topic, value, key, partition, *, headers, on_delivery):
        self.produced.append((topic, orjson.loads(value), key, partition, headers))
        self.tellers.append(on_delivery)
        if self.answers:
            on_delivery(self.answers.pop(0), None)

    def flush(self, _seconds):
        return 0


@pytest.fixture
def writing(monkeypatch):
    monkeypatch.setattr(module, "ACKNOWLEDGED_SECONDS", 0.05)

    def make(*answers):
        records = Records("nowhere")
        records._producer = Producer(*answers)
        return records, records._producer

    return make


def test_a_record_lies_beside_its_event_under_its_events_id(writing):
    records, producer = writing(None)
    records.write(EVENT, SENT)
    ((topic, data, key, partition, headers),) = producer.produced
    assert (topic, key, partition) == ("mail-sent", EVENT.id.encode(), 2)
    assert data == {"kind": "order-placed", "orderId": SENT.order_id, "sentAt": SENT.sent_at}
    Draft202012Validator(event_schema("mail-sent")).validate(data)
    assert (headers["ce_type"], headers["ce_source"]) == ("mail-sent", "notification_service")
    assert headers["ce_subject"] == EVENT.id != headers["ce_id"]
    assert "ce_sequence" not in headers


def test_a_record_that_no_broker_takes_stays_on_its_way_and_is_not_produced_again(writing):
    records, producer = writing()
    for _ in range(2):
        with pytest.raises(ServerUnavailable, match="no Kafka broker"):
            records.write(EVENT, SENT)
    assert len(producer.produced) == 1
    producer.tellers[0](None, None)
    producer.answers = [None]
    records.write(EVENT, SENT)


def test_after_an_error_there_is_a_new_producer(writing, monkeypatch):
    records, _ = writing(KafkaError(KafkaError._FATAL, "fenced"))
    with pytest.raises(ServerUnavailable, match="_FATAL"):
        records.write(EVENT, SENT)
    fresh = Producer(None)
    fresh.poll = lambda _seconds: records._closed.wait(1)
    monkeypatch.setattr(module, "make_producer", lambda _brokers, **_settings: fresh)
    records.write(EVENT, SENT)
    assert len(fresh.produced) == 1
    records.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [(BufferError("full"), "no Kafka broker"), (KafkaException(KafkaError(KafkaError._FATAL)), "refuses")],
)
def test_a_record_that_can_not_be_produced_is_tried_again(writing, error, words):
    records, producer = writing(None)
    produce, producer.produce = producer.produce, lambda *_, **__: fail(error)
    with pytest.raises(ServerUnavailable, match=words):
        records.write(EVENT, SENT)
    records._producer, producer.produce = producer, produce
    records.write(EVENT, SENT)
    assert len(producer.produced) == 1


def fail(error):
    raise error


def test_a_writer_that_wrote_nothing_is_closed_without_a_producer():
    records = Records("nowhere")
    records.close()
    assert "_producer" not in vars(records)
