"""Parking a mail whose answer is outstanding, while Kafka takes no record: its connection and its outcome are not lost."""

import threading

import pytest
from confluent_kafka import Message

from libs.messaging.envelope import Event
from libs.messaging.failures import ServerUnavailable
from notification_service.domain.parked_mail import ParkedMail, RetryPolicy
from notification_service.use_cases.park_mail import ParkMail, SendOrPark
from notification_service.use_cases.send_mail import Unanswered
from notification_service.worker import parked_mails as module
from notification_service.worker.parked_mails import ParkedMailSender

POLICY = RetryPolicy(pauses=(60.0,), total_seconds=3600.0, doubt_pauses=(120.0,), answer_seconds=600.0)
HEADERS = {
    "ce_specversion": "1.0",
    "ce_id": "01K00000000000000000000000",
    "ce_type": "order-placed",
    "ce_source": "order_service",
    "ce_time": "2026-01-01T00:00:00Z",
    "ce_subject": "a",
    "ce_sequence": "1",
    "content-type": "application/json",
}
MESSAGE = Message(
    topic="order-placed",
    partition=0,
    offset=7,
    key=b"a",
    value=b"{}",
    headers=[(name, text.encode()) for name, text in HEADERS.items()],
)
EVENT = Event(HEADERS["ce_id"], "order-placed", "a", 1, HEADERS["ce_time"], {}, message=MESSAGE)

BEHIND = ParkedMail(event_id=EVENT.id, topic="order-placed", partition=0, ordering_key="a", sequence=1, since=0, due=0)


class Parked:
    """The store of parked mails. Kafka takes no record while `down`."""

    def __init__(self):
        self.mails, self.down, self.is_full, self.settled = {}, True, False, threading.Event()

    def __contains__(self, event_id):
        return event_id in self.mails

    def has_key(self, key):
        return any(mail.ordering_key == key for mail in self.mails.values())

    def heads(self):
        return list(self.mails.values())

    def message_of(self, _mail):
        return MESSAGE

    def put(self, mail, _message):
        if self.down:
            raise ServerUnavailable("Kafka takes no parked mail")
        self.mails[mail.event_id] = mail

    def settle(self, event_id):
        del self.mails[event_id]
        self.settled.set()


class Server:
    """An SMTP server that answers a mail's final dot when `answer` is set. `tries`: how often it got the mail."""

    refuses_everybody = False

    def __init__(self):
        self.tries, self.answer, self.awaited = 0, threading.Event(), 0

    def send(self, *_, **__):
        self.tries += 1
        raise Unanswered(self.settle)

    def settle(self):
        self.awaited += 1
        assert self.answer.wait(5)


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def park_mail(server):
    return ParkMail(parked=Parked(), mailer=server, dead_letters=None, policy=POLICY)


def test_a_new_mail_is_sent_once_and_parked_as_soon_as_kafka_takes_it(server, park_mail):
    handle = SendOrPark(send_mail=server.send, park_mail=park_mail)
    options = {"kind": "order-placed", "recipient": "a@example.com", "user_id": "a", "content": None, "limited": False}
    for _ in range(2):
        with pytest.raises(ServerUnavailable):
            handle(EVENT, **options)
    park_mail.parked.down = False
    handle(EVENT, **options)
    assert park_mail.parked.mails[EVENT.id].state == "doubt"
    server.answer.set()
    assert park_mail.parked.settled.wait(5)
    assert (server.tries, server.awaited) == (1, 1)


def test_a_parked_mail_is_sent_once_and_parked_anew_as_soon_as_kafka_takes_it(server, park_mail, monkeypatch):
    monkeypatch.setattr(module, "TURN_SECONDS", 0.01)
    monkeypatch.setattr(module, "BACKOFF_CAP_SECONDS", 0.02)
    parked = park_mail.parked
    parked.down = False
    park_mail.park_behind(BEHIND, MESSAGE)
    parked.down = True
    ledger = type("Ledger", (), {"has": lambda self, _event: False})()
    sender = ParkedMailSender(
        parked, {"order-placed": server.send}, park_mail=park_mail, mailer=server, ledger=ledger, threads=2
    )
    sender.owns = lambda *_: True
    stop = threading.Event()
    thread = threading.Thread(target=sender.run, args=[stop])
    thread.start()
    try:
        stop.wait(0.5)
        parked.down = False
        server.answer.set()
        assert parked.settled.wait(5)
    finally:
        stop.set()
        thread.join()
    assert (server.tries, server.awaited) == (1, 1)
