"""The topics of this service alone, with records of a later version and without values."""

import threading

import orjson
import pytest
from confluent_kafka import Message

from libs.access.revocations import Revocations
from libs.messaging.envelope import Event
from notification_service.domain.ledger_origin import LedgerOrigin
from notification_service.domain.parked_mail import ParkedMail
from notification_service.events.topics import PARKED
from notification_service.store import accounts, mail_ledger, parked_mails

EVENT_ID = "01K00000000000000000000000"
ACCOUNT = "a" * 24


class Reader:
    """Reads the messages once, then ends the task that follows them."""

    def __init__(self, messages, stop):
        self.messages, self.stop, self.at_end, self.ends = messages, stop, True, {}

    def read(self):
        self.stop.set()
        return self.messages

    def read_to_end(self, _seconds):
        return iter(self.messages)

    def close(self):
        pass


@pytest.fixture
def reading(monkeypatch):
    """`reading(module, messages)`: the module's topics hold these. Returns the event that ends a task."""

    def prepare(module, messages):
        stop = threading.Event()
        name = "TopicFollower" if hasattr(module, "TopicFollower") else "TopicReader"
        monkeypatch.setattr(module, name, lambda *_, **__: Reader(messages, stop))
        return stop

    return prepare


def record(topic, offset, value, key=EVENT_ID, headers=()):
    return Message(topic=topic, partition=0, offset=offset, key=key.encode(), value=value, headers=list(headers))


def test_a_tombstone_in_the_ledger_changes_nothing():
    event = Event(EVENT_ID, "order-placed", "a", 1, "", {})
    ledger = mail_ledger.MailLedger("nowhere")
    ledger.apply(record("mail-sent", 3, None))
    assert not ledger.has(event)
    ledger.apply(record("mail-sent", 4, b"{}"))
    ledger.apply(record("mail-sent", 5, None))
    assert ledger.has(event)


def test_a_parked_mail_of_a_later_version_is_followed(reading):
    state = {"event_id": EVENT_ID, "topic": "order-placed", "partition": 0, "ordering_key": "o", "sequence": 1}
    state |= {"since": 1, "due": 2, "state": "quarantined", "priority": 9, "origin": {"key": "o", "at": 1, "ts": 1}}
    header = (parked_mails.STATE_HEADER, orjson.dumps(state))
    stop = reading(parked_mails, [record(PARKED, 7, b"{}", headers=[header, ("x-bin", b"\xff\xfe")])])
    parked = parked_mails.ParkedMails("nowhere", limit=10)
    parked.run(stop)
    (mail,) = parked.heads()
    assert isinstance(mail, ParkedMail)
    assert (mail.event_id, mail.offset, mail.state) == (EVENT_ID, 7, "quarantined")


STATE = {"event_id": EVENT_ID, "topic": "order-placed", "partition": 0, "ordering_key": "o", "sequence": 1, "since": 1}
STATE |= {"due": 2, "origin": {"key": "o", "at": 1, "ts": 1}}
ODD = [None, "x", -1.5, True, [], {}, "9" * 5000]


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("name", [*STATE, "origin.at", "origin.ts", "origin.key", "tries"])
def test_a_record_that_is_not_readable_ends_nothing(reading, name, odd):
    changed = STATE | {name: odd}
    if name.startswith("origin."):
        changed = STATE | {"origin": STATE["origin"] | {name.removeprefix("origin."): odd}}
    broken, good = (
        record(PARKED, offset, b"{}", key, [(parked_mails.STATE_HEADER, orjson.dumps(state))])
        for offset, key, state in ((7, EVENT_ID, changed), (8, "other", STATE | {"event_id": "other"}))
    )
    parked = parked_mails.ParkedMails("nowhere", limit=10)
    parked.run(reading(parked_mails, [broken, good]))
    assert "other" in parked
    assert all(isinstance(mail.due, int) and isinstance(mail.topic, str) for mail in parked.heads())


@pytest.mark.parametrize(
    "value", [None, b"", b"null", b"[]", b"{}", b'{"topic_id":1,"begun":1}', b"{", b'{"begun":1e999}']
)
def test_a_beginning_of_the_ledger_that_is_not_readable_changes_nothing(reading, value):
    origin = LedgerOrigin(topic_id="t", begun=5)
    first = record(PARKED, 1, orjson.dumps({"topic_id": "t", "begun": 5}), "ledger")
    parked = parked_mails.ParkedMails("nowhere", limit=10)
    parked.run(reading(parked_mails, [first, record(PARKED, 2, value, "ledger")]))
    assert parked.origin() == origin


@pytest.mark.parametrize("topic", ["user-deleted", "user-revocations"])
def test_a_tombstone_of_an_account_changes_nothing(reading, topic, caplog):
    stop = reading(accounts, [record(topic, 1, None, key=ACCOUNT)])
    view = accounts.AccountView("nowhere", revocations=Revocations())
    view.run(stop)
    assert not view.is_deleted(ACCOUNT)
    assert view.status() == {"complete": True, "gone": 0}
