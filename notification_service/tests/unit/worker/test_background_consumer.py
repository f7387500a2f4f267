"""The background consumer: it watches its threads, and ends the process when one is lost."""

import threading
import time

import pytest

from libs.runtime.health import CheckFailed
from notification_service.store.mail_ledger import MailLedger
from notification_service.worker import background_consumer as module
from notification_service.worker.background_consumer import BackgroundConsumer


class Task:
    """A consumer that runs until it is stopped, dies, or hangs."""

    def __init__(self, does="run"):
        self.name, self.heartbeat, self.does, self.handled = (
            "notification-service",
            time.monotonic(),
            does,
            threading.Event(),
        )
        self.state = {"broker": True, "assigned": 3}

    def owns(self, _topic, _partition):
        return True

    def run(self, stop):
        if self.does == "die":
            raise RuntimeError("dead")
        if self.does == "hang":
            self.heartbeat = time.monotonic() - 61
        stop.wait(20)
        self.handled.wait(20)

    def status(self):
        return self.state


class Accounts(Task):
    """The account view."""

    def __init__(self):
        super().__init__()
        self.name, self.state = "accounts", {"complete": True}
        self.handled.set()


class Parked(Task):
    """The store of parked mails, and the sender of them."""

    def __init__(self, name):
        super().__init__()
        self.name, self.state = name, {}
        self.handled.set()

    def release(self):
        pass

    def close(self):
        pass


def make(**options):
    ledger, accounts = MailLedger("nowhere"), Accounts()
    parts = {"parked": Parked("parked-mails"), "sender": Parked("parked-mail-sender")}
    return BackgroundConsumer("nowhere", {}, ledger=ledger, accounts=accounts, threads=4, **parts, **options)


class Process:
    def __init__(self):
        self.status, self.ended = None, threading.Event()

    def end(self, status):
        self.status = status
        self.ended.set()


@pytest.fixture
def consume(monkeypatch):
    monkeypatch.setattr(module, "create_topics_patiently", lambda *_: None)
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.02)
    consumers = []

    def start(task):
        monkeypatch.setattr(module, "EventConsumer", lambda *_, **__: task)
        process = Process()
        consumers.append((make(end=process.end), task))
        consumers[-1][0].start()
        return consumers[-1][0], process

    yield start
    for consumer, task in consumers:
        task.handled.set()
        consumer.stop()


@pytest.mark.parametrize("does", ["die", "hang"])
def test_a_consumer_that_dies_or_hangs_ends_the_process(consume, does):
    _, process = consume(Task(does))
    assert process.ended.wait(5)
    assert process.status == 70


def test_a_stop_waits_for_the_event_in_flight_and_does_not_end_the_process(consume):
    task = Task()
    consumer, process = consume(task)
    stopper = threading.Thread(target=consumer.stop)
    stopper.start()
    assert not process.ended.wait(0.2)
    assert stopper.is_alive()
    task.handled.set()
    stopper.join(5)
    assert not stopper.is_alive()
    assert process.status is None


def test_a_consumer_that_hangs_while_it_is_stopped_ends_the_process_too(consume):
    task = Task()
    consumer, process = consume(task)
    threading.Thread(target=consumer.stop, daemon=True).start()
    task.heartbeat = time.monotonic() - 61
    assert process.ended.wait(5)


def test_a_stop_waits_for_all_threads_together_no_longer_than_for_one(monkeypatch):
    monkeypatch.setattr(module, "create_topics_patiently", lambda *_: None)
    monkeypatch.setattr(module, "JOIN_SECONDS", 0.5)
    task = Task()
    monkeypatch.setattr(module, "EventConsumer", lambda *_, **__: task)
    consumer = make()
    others = [consumer._accounts, consumer._parked, consumer._sender]
    for other in others:
        other.handled.clear()
    consumer.start()
    began = time.monotonic()
    consumer.stop()
    assert time.monotonic() - began < 5
    for one in [task, *others]:
        one.handled.set()


def test_a_consumer_that_never_started_stops_at_once():
    began = time.monotonic()
    make().stop()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"broker": False, "assigned": 3}, "no Kafka broker answers"),
        ({"broker": True, "assigned": 0}, "no partitions are assigned yet"),
    ],
)
def test_without_broker_or_partitions_the_check_fails_and_shows_the_state(consume, state, reason):
    task = Task()
    consumer, _ = consume(task)
    parts = {"notification-service": task.state, "accounts": {"complete": True}}
    assert consumer.check() == {"parts": parts | {"parked-mails": {}, "parked-mail-sender": {}}}
    task.state = state
    with pytest.raises(CheckFailed, match=reason) as down:
        consumer.check()
    assert down.value.details["parts"]["notification-service"] == state
