"""The ledger: one mail for each event, whatever fails between the mail and its record."""

from concurrent.futures import Future
from datetime import UTC, datetime

import orjson
import pytest
from confluent_kafka import KafkaError, KafkaException, Message
from jsonschema import Draft202012Validator

from contracts import event_schema
from libs.messaging.envelope import Event
from libs.messaging.failures import PermanentFailure, ServerUnavailable
from notification_service.domain.mail import SentMail
from notification_service.store import mail_ledger as module
from notification_service.store.mail_ledger import MailLedger

EVENT = Event("01K00000000000000000000000", "order-placed", "a", 7, "", {}, partition=2)
SENT = SentMail(
    event_id=EVENT.id,
    kind="order-placed",
    order_id="01K00000000000000000000001",
    sent_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
)
FATAL = KafkaException(KafkaError(KafkaError._FATAL, "fenced"))


class Producer:
    """Acknowledges each record, or gives its future the outcome `answers` says: None for silence, or an exception."""

    def __init__(self):
        self.answers, self.produced, self.futures = [], [], []

    def produce(self, topic, value, key, *, partition, headers):
        answer = self.answers.pop(0) if self.answers else "acknowledged"
        if isinstance(answer, BufferError):
            raise answer
        self.produced.append((topic, orjson.loads(value), key, partition, headers))
        self.futures.append(delivered := Future())
        if isinstance(answer, Exception):
            delivered.set_exception(answer)
        elif answer:
            delivered.set_result(None)
        return delivered


class Mails:
    """Sends mails, or fails with `error`."""

    def __init__(self):
        self.count, self.error = 0, None

    def __call__(self):
        if self.error:
            raise self.error
        self.count += 1
        return SENT


@pytest.fixture
def ledger(monkeypatch):
    monkeypatch.setattr(module, "ACKNOWLEDGED_SECONDS", 0.05)
    ledger = MailLedger("nowhere")
    ledger._producer = Producer()
    return ledger


@pytest.fixture
def mails():
    return Mails()


def test_a_sent_mail_is_recorded_under_the_events_id_which_chooses_the_partition(ledger, mails):
    ledger.send_once(EVENT, mails)
    assert mails.count == 1
    ((topic, data, key, partition, headers),) = ledger._producer.produced
    assert (topic, key, partition) == ("mail-sent", EVENT.id.encode(), -1)
    assert data == {
        "kind": "order-placed",
        "orderId": SENT.order_id,
        "sentAt": "2026-01-31T12:00:00.000Z",
        "outcome": "sent",
    }
    Draft202012Validator(event_schema("mail-sent")).validate(data)
    assert (headers["ce_type"], headers["ce_source"]) == ("mail-sent", "notification_service")
    assert headers["ce_subject"] == EVENT.id != headers["ce_id"]
    assert "ce_sequence" not in headers


def test_an_event_that_comes_again_has_no_second_mail(ledger, mails):
    for _ in range(3):
        ledger.send_once(EVENT, mails)
    assert mails.count == len(ledger._producer.produced) == 1


def test_a_mail_whose_record_no_broker_takes_is_not_sent_again_and_its_record_stays_queued(ledger, mails):
    ledger._producer.answers = [None]
    for _ in range(2):
        with pytest.raises(ServerUnavailable, match="no Kafka broker"):
            ledger.send_once(EVENT, mails)
    ledger._producer.futures[0].set_result(None)
    ledger.send_once(EVENT, mails)
    ledger.send_once(EVENT, mails)
    assert mails.count == len(ledger._producer.produced) == 1


@pytest.mark.parametrize(("error", "text"), [(BufferError("full"), "no Kafka broker"), (FATAL, "refuses .*_FATAL")])
def test_a_record_that_fails_is_produced_again_without_a_second_mail(ledger, mails, error, text):
    ledger._producer.answers = [error]
    with pytest.raises(ServerUnavailable, match=text):
        ledger.send_once(EVENT, mails)
    produced = len(ledger._producer.produced)
    ledger.send_once(EVENT, mails)
    assert (mails.count, len(ledger._producer.produced)) == (1, produced + 1)


def test_a_mail_that_another_process_recorded_needs_no_record_of_this_one(ledger, mails):
    ledger._producer.answers = [BufferError("full")]
    with pytest.raises(ServerUnavailable):
        ledger.send_once(EVENT, mails)
    ledger.apply(Message(topic="mail-sent", key=EVENT.id.encode(), value=b"{}"))
    ledger.send_once(EVENT, mails)
    assert ledger._producer.produced == []
    assert ledger._unrecorded == {}


def test_a_mail_that_was_not_sent_is_not_recorded_and_is_sent_when_the_event_comes_again(ledger, mails):
    mails.error = PermanentFailure("no such mailbox")
    with pytest.raises(PermanentFailure):
        ledger.send_once(EVENT, mails)
    assert ledger._producer.produced == []
    mails.error = None
    ledger.send_once(EVENT, mails)
    assert mails.count == len(ledger._producer.produced) == 1


def test_a_record_whose_key_is_no_id_is_ignored(ledger):
    for key in (None, b"", b"\xff", b"no ulid"):
        ledger.apply(Message(topic="mail-sent", key=key, value=b"{}"))
    assert len(ledger.ids) == 0
