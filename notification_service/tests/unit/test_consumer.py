"""The listener: it watches its consumer, and ends the process rather than be deaf."""

import threading
import time

import pytest

from libs.runtime.health import CheckFailed
from notification_service.events.topics import topics
from notification_service.store.accounts import TOPICS
from notification_service.store.mail_ledger import Ledger
from notification_service.worker import process as module
from notification_service.worker.handlers import HANDLERS
from notification_service.worker.process import Listener


class Part:
    """A consumer that runs until it is told to stop, dies, or hangs."""

    def __init__(self, does="run"):
        self.name, self.heartbeat, self.does, self.handled = (
            "notification-service",
            time.monotonic(),
            does,
            threading.Event(),
        )
        self.told = {"broker": True, "assigned": 3}

    def run(self, stop):
        if self.does == "die":
            raise RuntimeError("dead")
        if self.does == "hang":
            self.heartbeat = time.monotonic() - 61
        stop.wait(20)
        self.handled.wait(20)

    def status(self):
        return self.told


class Following(Part):
    """The follower of the accounts' events."""

    def __init__(self):
        super().__init__()
        self.name, self.told = "accounts", {"complete": True}
        self.handled.set()


class Process:
    def __init__(self):
        self.status, self.ended = None, threading.Event()

    def end(self, status):
        self.status = status
        self.ended.set()


@pytest.fixture
def listen(monkeypatch):
    monkeypatch.setattr(module, "create_topics_patiently", lambda *_: None)
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.02)
    listeners = []

    def start(part):
        monkeypatch.setattr(module, "EventConsumer", lambda *_, **__: part)
        process = Process()
        listeners.append((Listener("nowhere", {}, Ledger("nowhere"), Following(), 4, process.end), part))
        listeners[-1][0].start()
        return listeners[-1][0], process

    yield start
    for listener, part in listeners:
        part.handled.set()
        listener.stop()


@pytest.mark.parametrize("fate", ["die", "hang"])
def test_a_consumer_that_dies_or_hangs_ends_the_process(listen, fate):
    _, process = listen(Part(fate))
    assert process.ended.wait(5)
    assert process.status == 70


def test_a_stop_waits_for_the_event_in_hand_and_is_no_death(listen):
    part = Part()
    listener, process = listen(part)
    stopper = threading.Thread(target=listener.stop)
    stopper.start()
    assert not process.ended.wait(0.2)
    assert stopper.is_alive()
    part.handled.set()
    stopper.join(5)
    assert not stopper.is_alive()
    assert process.status is None


def test_a_consumer_that_hangs_while_it_is_stopped_ends_the_process_too(listen):
    part = Part()
    listener, process = listen(part)
    threading.Thread(target=listener.stop, daemon=True).start()
    part.heartbeat = time.monotonic() - 61
    assert process.ended.wait(5)


def test_a_listener_that_never_started_stops_at_once():
    Listener("nowhere", {}, Ledger("nowhere"), Following(), 4).stop()


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"broker": False, "assigned": 3}, "no Kafka broker answers"),
        ({"broker": True, "assigned": 0}, "no partitions are assigned yet"),
    ],
)
def test_without_broker_or_partitions_the_check_is_down_and_shows_the_state(listen, state, reason):
    part = Part()
    listener, _ = listen(part)
    assert listener.check() == {"parts": {"notification-service": part.told, "accounts": {"complete": True}}}
    part.told = state
    with pytest.raises(CheckFailed, match=reason) as down:
        listener.check()
    assert down.value.details["parts"]["notification-service"] == state


def test_the_ledger_and_each_dead_letter_topic_have_as_many_partitions_as_the_topics_consumed():
    needed = topics()
    assert set(needed) == {
        "mail-sent",
        *TOPICS,
        *HANDLERS,
        *(f"{topic}.notification-service.dlq" for topic in HANDLERS),
    }
    assert {settings["partitions"] for settings in needed.values()} == {3}
