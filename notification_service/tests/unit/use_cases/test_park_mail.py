"""Parking a mail whose answer is outstanding, while Kafka takes no record: its connection and its outcome are not lost."""

import threading
from concurrent.futures import Future
from functools import partial

import pytest
from confluent_kafka import Message

from libs.messaging.envelope import Event
from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.runtime.steps import Steps
from notification_service.domain.failures import Fenced, NotKnownYet
from notification_service.domain.parked_mail import ParkedMail, RetryPolicy
from notification_service.use_cases.late_answers import Unanswered
from notification_service.use_cases.park_mail import ParkMail, SendOrPark
from notification_service.use_cases.send_mail import NoFence
from notification_service.worker.parked_mails import ParkedTry

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
    """An SMTP server that answers a mail's final dot when `outcome` ends. `tries`: how often it got the mail."""

    refuses_everybody = False

    def __init__(self):
        self.tries, self.outcome = 0, Future()

    def send(self, *_, **__):
        self.tries += 1
        raise Unanswered(self.outcome)


class SendMail:
    """The use case, with a ledger that knows no event."""

    class Ledger:
        def has(self, _event):
            return False

    def __init__(self, server):
        self.ledger, self.send = self.Ledger(), server.send

    def __call__(self, *values, **options):
        self.send(*values, **options)


class Reader:
    """The reader of the ledger: how far absence proves something."""

    def __init__(self, *, is_complete=True, proves=True):
        self.is_complete, self.proves = is_complete, proves

    def proves_absence(self, _event_id):
        return self.proves


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def park_mail(server):
    return ParkMail(parked=Parked(), mailer=server, dead_letters=None, policy=POLICY, steps=Steps())


def make_handle(server, park_mail, reader=None, fence=None):
    reader, fence = reader or Reader(), fence or NoFence()
    handle = SendOrPark(send_mail=SendMail(server), park_mail=park_mail, reader=reader, fence=fence)
    options = {"kind": "order-placed", "recipient": "a@example.com", "user_id": "a", "content": None, "limited": False}
    return partial(handle, EVENT, **options)


def test_a_new_mail_is_sent_once_and_parked_as_soon_as_kafka_takes_it(server, park_mail):
    handle = make_handle(server, park_mail)
    for _ in range(2):
        with pytest.raises(ServerUnavailable):
            handle()
    park_mail.parked.down = False
    handle()
    assert park_mail.parked.mails[EVENT.id].state == "doubt"
    handle()
    assert park_mail.parked.mails[EVENT.id].doubts == 1
    server.outcome.set_result(None)
    assert park_mail.parked.settled.wait(5)
    assert (server.tries, park_mail.outstanding) == (1, {})


def test_an_answer_that_comes_before_kafka_takes_the_parked_mail_ends_the_event(server, park_mail):
    handle = make_handle(server, park_mail)
    with pytest.raises(ServerUnavailable):
        handle()
    server.outcome.set_result(None)
    handle()
    assert (server.tries, park_mail.parked.mails, park_mail.outstanding) == (1, {}, {})


def test_a_refusal_that_comes_before_kafka_takes_the_parked_mail_is_the_events_outcome(server, park_mail):
    handle = make_handle(server, park_mail)
    with pytest.raises(ServerUnavailable):
        handle()
    server.outcome.set_exception(PermanentFailure("refused"))
    with pytest.raises(PermanentFailure):
        handle()
    assert (server.tries, park_mail.outstanding) == (1, {})


def test_a_parked_mail_is_sent_once_and_parked_anew_as_soon_as_kafka_takes_it(server, park_mail):
    parked = park_mail.parked
    parked.down = False
    park_mail.park_behind(BEHIND, MESSAGE)
    parked.down = True
    handlers = {"order-placed": server.send}
    attempt = ParkedTry(parked=parked, handlers=handlers, park_mail=park_mail, ledger=SendMail.Ledger())
    for _ in range(3):
        with pytest.raises(ServerUnavailable):
            attempt(BEHIND)
    parked.down = False
    attempt(BEHIND)
    server.outcome.set_result(None)
    assert parked.settled.wait(5)
    assert server.tries == 1


@pytest.mark.parametrize(("is_complete", "failure"), [(False, NotKnownYet), (True, PermanentFailure)])
def test_an_event_that_the_ledger_cannot_know_waits_for_its_rest_and_is_then_refused(
    server, park_mail, is_complete, failure
):
    handle = make_handle(server, park_mail, Reader(is_complete=is_complete, proves=False))
    with pytest.raises(failure):
        handle()
    assert server.tries == 0


class Lost(NoFence):
    """Of a process that lost its partitions while it tried the mail."""

    def is_current(self, topic, partition):
        return False


def test_a_process_that_lost_the_event_parks_no_mail(server, park_mail):
    park_mail.parked.down = False
    server.send = put_off
    with pytest.raises(Fenced):
        make_handle(server, park_mail, fence=Lost())()
    assert park_mail.parked.mails == {}


def put_off(*_, **__):
    raise TransientFailure("450")
