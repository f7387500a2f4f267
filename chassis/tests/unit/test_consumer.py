"""The consumer loop's decisions, with librdkafka's part played by a script."""

import threading
from collections import deque

import orjson
import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from chassis import consumer as module
from chassis import kafka
from chassis.consumer import EventConsumer, ServerAway

HEADERS = {"ce_specversion": "1.0", "ce_type": "made", "ce_id": "01K00000000000000000000000"}
PARTITIONS = [TopicPartition("made", p) for p in range(3)]


class Message:
    def __init__(self, offset=0, partition=0, error=None, value=b'{"n": 1}'):
        self._offset, self._partition, self._error, self._value = offset, partition, error, value

    def error(self):
        return self._error

    def topic(self):
        return "made"

    def partition(self):
        return self._partition

    def offset(self):
        return self._offset

    def timestamp(self):
        return (1, 0)

    def key(self):
        return b"a"

    def value(self):
        return self._value

    def headers(self):
        return [(name, text.encode()) for name, text in HEADERS.items()]


class Script:
    """Plays librdkafka's consumer: what `poll` gives, one after the other, then the end; and what was asked of it."""

    def __init__(self, monkeypatch, *turns):
        self.turns, self.stop, self.asked, self.assigned = deque(turns), threading.Event(), [], list(PARTITIONS)
        monkeypatch.setattr(kafka, "make_consumer", self._make)

    def _make(self, _brokers, _group, **callbacks):
        self.on_statistics = callbacks["stats_cb"]
        return self

    def subscribe(self, _topics, **callbacks):
        self.callbacks = callbacks

    def poll(self, seconds):
        self.asked.append(("poll", seconds))
        if not self.turns:
            self.stop.set()
            return None
        turn = self.turns.popleft()
        return turn() if callable(turn) else turn

    def assignment(self):
        return self.assigned

    def incremental_unassign(self, partitions):
        self.assigned = [p for p in self.assigned if p not in partitions]

    def store_offsets(self, message):
        self.asked.append(("store", message.offset()))

    def commit(self, asynchronous):
        self.asked.append(("commit", asynchronous))

    def pause(self, partitions):
        self.asked.append(("pause", len(partitions)))

    def resume(self, partitions):
        self.asked.append(("resume", len(partitions)))

    def close(self):
        self.asked.append(("close",))

    def names(self):
        return [call for call in self.asked if call[0] != "poll"]


class Clock:
    """Time that passes only while the loop waits, and chance that always takes the longest wait."""

    def __init__(self, monkeypatch, script):
        self.now, self.waits = 1000.0, []
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(module.random, "uniform", self._longest)
        play = script.poll

        def poll(seconds):
            self.now += seconds
            return play(seconds)

        monkeypatch.setattr(script, "poll", poll)

    def _longest(self, _low, high):
        self.waits.append(high)
        return high


def run(script, handler, **options):
    consumer = EventConsumer("nowhere", "g", {"made": handler}, **options)
    consumer.run(script.stop)
    return consumer


def test_the_effect_comes_first_the_offset_after(monkeypatch):
    script = Script(monkeypatch, Message(7))
    run(script, lambda event: script.asked.append(("handled", event.id)), commit_seconds=0)
    assert script.names() == [("handled", HEADERS["ce_id"]), ("store", 7), ("commit", True), ("close",)]


def test_offsets_wait_for_their_time_and_are_committed_at_the_end(monkeypatch):
    script = Script(monkeypatch, Message(1), Message(2))
    Clock(monkeypatch, script).now = 1.0
    run(script, lambda event: None, commit_seconds=3600)
    assert script.names() == [("store", 1), ("store", 2), ("commit", False), ("close",)]


def test_back_off_doubles_up_to_a_minute_and_ends_with_the_first_success(monkeypatch):
    failures = 9

    def handle(_event):
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise ServerAway("asleep")

    script = Script(monkeypatch, Message(1), *[None] * 1000)
    clock = Clock(monkeypatch, script)
    consumer = run(script, handle, commit_seconds=0)
    assert clock.waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert max(seconds for name, seconds in (c for c in script.asked if c[0] == "poll")) <= module.POLL_SECONDS
    assert script.names()[:9] == [("pause", 3)] * 9
    assert script.names()[9:] == [("resume", 3), ("store", 1), ("commit", True), ("close",)]
    assert consumer.state()["retrying"] is None


def test_an_event_in_hand_is_dropped_when_its_partition_is_taken_away(monkeypatch):
    calls = []

    def handle(_event):
        calls.append(1)
        raise ServerAway("asleep")

    script = Script(monkeypatch, Message(1, partition=0), lambda: script.callbacks["on_lost"](script, PARTITIONS[:1]))
    script.turns.extend([None] * 20)
    Clock(monkeypatch, script)
    consumer = run(script, handle)
    assert len(calls) == 1
    assert ("resume", 2) in script.names()
    assert (consumer.state()["retrying"], ("store", 1) in script.names()) == (None, False)


def test_an_event_in_hand_stays_when_another_partition_is_taken_away(monkeypatch):
    calls = []

    def handle(_event):
        calls.append(1)
        if len(calls) == 1:
            raise ServerAway("asleep")

    script = Script(monkeypatch, Message(1, partition=0), lambda: script.callbacks["on_revoke"](script, PARTITIONS[1:]))
    script.turns.extend([None] * 20)
    Clock(monkeypatch, script)
    run(script, handle)
    assert len(calls) == 2
    assert ("store", 1) in script.names()


def test_a_fatal_error_ends_the_loop_and_another_one_does_not(monkeypatch):
    script = Script(monkeypatch, Message(error=KafkaError(KafkaError._ALL_BROKERS_DOWN)), Message(1))
    run(script, lambda event: None)
    assert ("store", 1) in script.names()
    script = Script(monkeypatch, Message(error=KafkaError(KafkaError._FATAL, "fenced", fatal=True)), Message(1))
    with pytest.raises(KafkaException):
        run(script, lambda event: None)
    assert script.names() == [("close",)]


def test_a_dead_letter_that_can_not_be_written_keeps_the_event_in_hand(monkeypatch):
    class Producer:
        def __init__(self):
            self.purged = False

        def produce(self, topic, value, key, partition, headers, on_delivery):
            self.sent = (topic, value, key, partition, dict(headers))

        def flush(self, _seconds):
            return 0 if len(producers) == 2 else 1

        def purge(self):
            self.purged = True

    producers = []
    monkeypatch.setattr(kafka, "make_producer", lambda _brokers: producers.append(Producer()) or producers[-1])
    script = Script(monkeypatch, Message(1, partition=2, value=b"{"), *[None] * 20)
    Clock(monkeypatch, script)
    consumer = run(script, lambda event: None)
    assert (producers[0].purged, consumer.state()["deadLetters"]) == (True, 1)
    topic, value, key, partition, headers = producers[1].sent
    assert (topic, value, key, partition) == ("made.g.dlq", b"{", b"a", 2)
    assert (headers["x-attempts"], headers["x-origin-offset"]) == ("2", "1")


def test_lag_and_broker_are_read_from_the_statistics(monkeypatch):
    script = Script(monkeypatch)
    consumer = run(script, lambda event: None)
    parts = {"0": {"desired": True, "consumer_lag": 4}, "1": {"desired": True, "consumer_lag": -1}}
    parts |= {"-1": {"desired": False, "consumer_lag": 9}}
    brokers = {"one": {"state": "DOWN"}, "two": {"state": "UP"}}
    script.on_statistics(orjson.dumps({"topics": {"made": {"partitions": parts}}, "brokers": brokers}))
    assert (consumer.state()["lag"], consumer.state()["broker"]) == (4, True)
