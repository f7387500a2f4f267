"""The sender threads: what becomes of an event after each outcome of its handler."""

import threading
import time
from itertools import count

import pytest
from confluent_kafka import Message
from prometheus_client import REGISTRY

from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.runtime.steps import Steps
from libs.runtime.telemetry import trace_context
from notification_service.domain.failures import Fenced, NotKnownYet
from notification_service.smtp.replies import SessionRefused, SmtpDown
from notification_service.worker import pace as pace_module
from notification_service.worker import senders as module
from notification_service.worker.parked_mails import DueMails
from notification_service.worker.senders import Handling, Senders

TOPIC = "order-placed"
PLACE = (TOPIC, 0)


def message(number, key="a", topic=TOPIC, **more):
    headers = more | {"ce_specversion": "1.0", "ce_id": f"01K{number:023}", "ce_type": topic, "ce_sequence": "1"}
    pairs = [(name, text.encode()) for name, text in headers.items()]
    return Message(topic=topic, partition=0, offset=number, key=key.encode(), value=b"{}", headers=pairs)


class Mailer:
    refuses_everybody, answers = False, 0


class Fence:
    owned, contact = True, True

    def begin(self): ...
    def end(self): ...

    def in_contact(self):
        return self.contact

    def is_current(self, *_place):
        return self.owned


class Parked:
    is_full = False

    def __len__(self):
        return 0

    def heads(self):
        return []


class DeadLetters:
    def __init__(self):
        self.written, self.refuses = [], 0

    def write(self, _message, *, reason, attempts, reason_class):
        if self.refuses:
            self.refuses -= 1
            raise ServerUnavailable("Kafka takes no dead letter")
        self.written.append((reason, attempts))


class ParkedTry:
    def __init__(self):
        self.parked = Parked()


class SendOrPark:
    def __init__(self):
        self.put_off_events = []

    def put_off(self, event, failure, *, kind):
        self.put_off_events.append((event.id, str(failure)))


class World:
    """Senders whose handler does for each event what `script` has next for it: None to send, or an exception."""

    def __init__(self, permits=2):
        self.script, self.calls, self.active, self.most = {}, [], 0, 0
        self.traces = []
        self.lock = threading.Lock()
        self.mailer, self.fence, self.letters, self.park = Mailer(), Fence(), DeadLetters(), SendOrPark()
        tries = ParkedTry()
        handling = Handling(
            handlers={TOPIC: self.handle, "user-mail-requested": self.handle},
            send_or_park=self.park,
            parked_try=tries,
            dead_letters=self.letters,
            mailer=self.mailer,
            fence=self.fence,
            steps=Steps(),
        )
        self.senders = Senders(handling, DueMails(tries.parked, self.mailer, lambda *_: True), permits)
        self.senders.turns.assign([PLACE, ("user-mail-requested", 0)])
        self.senders.is_open = True
        self.senders.start()

    def handle(self, event):
        number = int(event.id[3:])
        with self.lock:
            self.active += 1
            self.most = max(self.most, self.active)
            self.calls.append(number)
            self.traces.append(trace_context.current().trace_id)
            outcomes = self.script.get(number, [])
            outcome = outcomes.pop(0) if outcomes else None
        time.sleep(0.005)
        with self.lock:
            self.active -= 1
        if outcome:
            raise outcome
        self.mailer.answers += 1

    def handles(self, *messages, seconds=10):
        before = self.senders.handled
        self.senders.accept(messages)
        self.wait(lambda: self.senders.handled >= before + len(messages), seconds)

    def wait(self, condition, seconds=10):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.calls
            time.sleep(0.005)


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.02)
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.02)
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(pace_module, "BACKOFF_CAP_SECONDS", 0.02)
    worlds = []

    def make(**options):
        worlds.append(World(**options))
        return worlds[-1]

    yield make
    for world in worlds:
        world.senders.stop()


def test_events_of_different_keys_are_sent_at_once_and_those_of_one_key_one_after_the_other(world):
    world = world(permits=3)
    world.handles(*(message(n, key=f"k{n % 5}") for n in range(30)))
    assert 1 < world.most <= 3
    for key in range(5):
        assert [n for n in world.calls if n % 5 == key] == list(range(key, 30, 5))


def test_while_a_server_is_unavailable_one_event_is_tried_at_a_time_and_none_is_dead_lettered(world):
    world = world(permits=4)
    world.script = {n: [SmtpDown("no reply")] * 10_000 for n in range(4)}
    world.senders.accept([message(n, key=f"k{n}") for n in range(4)])
    world.wait(lambda: len(world.calls) > 6)
    assert world.senders.status()["retrying"]["reason"] == "no reply"
    with world.lock:
        world.script.clear()
    world.wait(lambda: world.senders.handled == 4)
    assert (world.letters.written, world.senders.status()["retrying"]) == ([], None)


def test_a_mail_for_which_the_server_is_unavailable_while_it_takes_others_is_put_off(world):
    world = world(permits=1)
    world.script = {0: [SmtpDown("ended the connection")] * 99}
    numbers = count(1)  # as many as fit into the pauses between its tries
    world.senders.accept([message(0, key="bad")])
    while not world.park.put_off_events:
        number = next(numbers)
        world.senders.accept([message(number, key=f"k{number}", topic="user-mail-requested")])
        world.wait(lambda: number in world.calls)  # noqa: B023 -- called at once
    assert world.park.put_off_events == [(f"01K{0:023}", "ended the connection")]


@pytest.mark.parametrize("failure", [Fenced("moved"), NotKnownYet("not read"), SessionRefused("421")])
def test_an_event_that_may_not_be_sent_now_is_tried_again_and_delays_no_other_one(world, failure):
    world = world()
    world.script = {0: [failure] * 3}
    world.handles(message(0), message(1, key="b"))
    assert world.calls.count(0) == 4
    assert world.senders.status()["retrying"] is None
    assert world.letters.written == []


@pytest.mark.parametrize("failure", [PermanentFailure("refused"), TransientFailure("conflict"), KeyError("bug")])
def test_an_event_that_cannot_be_handled_has_one_dead_letter(world, failure):
    world = world()
    world.script = {0: [failure] * 3}
    world.letters.refuses = 2
    world.handles(message(0), message(1))
    reason, attempts = {
        PermanentFailure: ("refused", 1),
        TransientFailure: ("conflict", 3),
        KeyError: ("handler failed: KeyError", 3),
    }[type(failure)]
    assert world.letters.written == [(reason, attempts)]
    assert world.senders.dead == 1


def test_a_malformed_event_has_a_dead_letter_and_the_next_one_is_sent(world):
    world = world()
    broken = Message(topic=TOPIC, partition=0, offset=0, key=b"a", value=b"{", headers=[])
    world.handles(broken, message(1))
    assert (world.calls, len(world.letters.written)) == ([1], 1)


def test_no_mail_begins_without_contact_to_the_group_or_before_the_senders_are_open(world):
    world = world()
    world.fence.contact = False
    world.senders.accept([message(0)])
    time.sleep(0.1)
    assert world.calls == []
    world.fence.contact = True
    world.wait(lambda: world.senders.handled == 1)


def test_no_dead_letter_is_written_of_an_event_that_another_member_has(world):
    world = world()
    world.script = {0: [PermanentFailure("refused")]}
    world.fence.owned = False
    world.senders.accept([message(0)])
    world.wait(lambda: world.calls)
    time.sleep(0.05)
    assert world.letters.written == []


def test_with_too_many_parked_mails_no_new_event_is_taken_and_the_status_says_so(world):
    world = world()
    world.senders._do.parked_try.parked.is_full = True
    world.senders.accept([message(0)])
    time.sleep(0.1)
    assert world.calls == []
    assert world.senders.status()["retrying"]["reason"] == "too many mails are parked"
    world.senders._do.parked_try.parked.is_full = False
    world.wait(lambda: world.senders.handled == 1)


def test_each_try_has_the_trace_of_its_event(world):
    world = world(permits=1)
    world.script = {0: [TransientFailure("later")]}
    traces = [f"{number:032x}" for number in (1, 2)]
    world.handles(
        *(message(n, key=f"k{n}", traceparent=f"00-{trace}-00f067aa0ba902b7-00") for n, trace in enumerate(traces))
    )
    assert sorted(zip(world.calls, world.traces, strict=True)) == [(0, traces[0])] * 2 + [(1, traces[1])]


def counted(name, **labels):
    return REGISTRY.get_sample_value(f"consumer_{name}_total", {"topic": "counted"} | labels) or 0.0


def test_events_are_counted_by_topic_and_class_of_the_reason(world):
    world = world(permits=1)
    world.senders.turns.assign([("counted", 0)])
    world.senders._do.handlers["counted"] = world.handle
    world.script = {0: [TransientFailure("x")], 1: [SessionRefused("421")], 2: [PermanentFailure("no")]}
    world.handles(*(message(n, key=f"k{n}", topic="counted") for n in range(3)))
    retries = [counted("retries", reason=reason) for reason in ("failed", "unavailable")]
    assert (counted("handled"), retries, counted("dead_letters", reason="refused")) == (2, [1, 1], 0)
    assert world.letters.written == [("no", 1)]  # the store of dead letters counts them
