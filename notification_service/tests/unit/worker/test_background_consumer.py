"""The background consumer: it watches its threads, and ends the process when one is lost."""

import threading
import time

import pytest

from libs.runtime.health import CheckFailed
from libs.runtime.steps import Steps
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
        self.state = {"broker": True, "assigned": 3, "prepared": True, "stalled": "", "offsetResets": 0}
        self.idle_seconds = 0.0

    def run(self, stop):
        if self.does == "die":
            raise RuntimeError("dead")
        if self.does == "hang":
            self.heartbeat = time.monotonic() - 61
        stop.wait(20)
        self.handled.wait(20)

    def status(self):
        return self.state


class Reader(Task):
    """A task that reads what mails need."""

    def __init__(self, name):
        super().__init__()
        self.name, self.state = name, {}
        self.handled.set()


def make(task=None, *, steps=None, **options):
    readers = [Reader("accounts"), Reader("parked-mails")]
    return BackgroundConsumer("nowhere", lambda: task, readers, steps=steps or Steps(), close=lambda: None, **options)


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

    def start(task, steps=None):
        process = Process()
        consumers.append((make(task, steps=steps, end=process.end), task))
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
    consumer = make(task)
    others = consumer._readers
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
    ("state", "unassigned", "reason"),
    [
        ({"broker": False}, 0.0, "no Kafka broker answers"),
        ({"assigned": 0}, float("inf"), "no partition is assigned yet"),
        ({"assigned": 0}, 61.0, "no partition is assigned for 61 s"),
        ({"prepared": False}, float("inf"), "what mails need is not read yet"),
    ],
)
def test_without_broker_or_partitions_the_check_fails_and_shows_the_state(consume, state, unassigned, reason):
    task = Task()
    consumer, _ = consume(task)
    parts = {"notification-service": task.state, "accounts": {}, "parked-mails": {}}
    assert consumer.check() == consumer.check_progress() == {"parts": parts}
    task.state, task.idle_seconds = task.state | state, unassigned
    for check in (consumer.check, consumer.check_progress):
        with pytest.raises(CheckFailed, match=reason) as down:
            check()
        assert down.value.details["parts"]["notification-service"] == task.state


def test_a_rebalance_of_less_than_a_minute_is_no_problem(consume):
    task = Task()
    consumer, _ = consume(task)
    task.state, task.idle_seconds = task.state | {"assigned": 0, "prepared": False}, 59.0
    assert consumer.check()


@pytest.mark.parametrize(
    ("part", "state", "reason"),
    [
        ("notification-service", {"stalled": "order-placed/1"}, "none was handled for two minutes: order-placed/1"),
        ("notification-service", {"offsetResets": 2}, "2 partitions were read from their start"),
        ("accounts", {"problem": "it is late"}, "accounts: it is late"),
    ],
)
def test_a_stalled_partition_a_lost_offset_and_a_readers_problem_degrade_the_health_and_leave_it_ready(
    consume, part, state, reason
):
    consumer, _ = consume(Task())
    task = next(thread.task for thread in consumer._threads if thread.task.name == part)
    task.state = task.state | state
    assert consumer.check()
    with pytest.raises(CheckFailed, match=reason):
        consumer.check_progress()


def test_a_step_that_is_overdue_ends_the_process(consume):
    steps = Steps()
    steps.begin("send a mail", -11.0)
    _, process = consume(Task(), steps)
    assert process.ended.wait(5)
    assert process.status == 70
