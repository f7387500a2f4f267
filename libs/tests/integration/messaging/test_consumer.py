"""The consumer loop on a real broker: it handles every event once and in order, also after failures."""

import gc
import secrets
import threading
import time
from contextlib import contextmanager
from typing import ClassVar

import orjson
import pytest
from confluent_kafka import Consumer, TopicPartition

from libs.messaging.consumer.batch_consumer import MAX_OPEN_EVENTS, BatchConsumer
from libs.messaging.consumer.batches import in_turn
from libs.messaging.envelope import EventData, new_row
from libs.messaging.failures import FailureKind, PermanentFailure, ServerUnavailable
from libs.messaging.kafka.clients import make_producer
from libs.messaging.kafka.topics import create_topics, dead_letter_settings, dead_letter_topic


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


@contextmanager
def running(consumer):
    """The consumer, in a thread of its own until the end of the block."""
    stop = threading.Event()
    thread = threading.Thread(target=consumer.run, args=[stop], daemon=True)
    thread.start()
    try:
        yield consumer
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


class Database:
    """Every error but ConnectionError is an event's own."""

    def kind_of(self, error):
        return FailureKind.UNAVAILABLE if isinstance(error, ConnectionError) else FailureKind.OWN

    def answers(self):
        return True


class Channel:
    """A topic and a consumer group that only this test uses."""

    def __init__(self, brokers):
        self.brokers, self.topic, self.group = brokers, f"t-{secrets.token_hex(4)}", f"g-{secrets.token_hex(4)}"
        topics = {self.topic: {"partitions": 3, "config": {}}}
        create_topics(brokers, topics | dead_letter_settings(topics, self.group))
        self._producer = make_producer(brokers)
        self._event = type(
            "Made", (EventData,), {"topic": self.topic, "__annotations__": {"n": int, "topic": ClassVar[str]}}
        )

    def row(self, n, key="a"):
        return new_row(self._event(n=n), source="test", aggregate_id=key, sequence=n + 1)

    def send(self, n, key="a", partition=None):
        row = self.row(n, key)
        self.send_raw(row.payload.encode(), key.encode(), orjson.loads(row.headers), partition)

    def send_raw(self, value, key, headers, partition=None):
        where = {} if partition is None else {"partition": partition}
        self._producer.produce(self.topic, value, key, headers=headers, **where)
        assert self._producer.flush(10) == 0

    def close(self):
        self._producer.close()
        gc.collect()  # the consumers' own producers: an idle one would complain when the broker ends

    def consuming(self, handler, **options):
        """A running member whose handler gets one event after the other."""
        return running(self.member(in_turn({self.topic: handler}), **options))

    def member(self, handle, **options):
        return BatchConsumer(self.brokers, self.group, [self.topic], handle, **({"failures": Database()} | options))

    def committed(self):
        """Events of the topic whose offset the group has committed."""
        reader = Consumer({"bootstrap.servers": self.brokers, "group.id": self.group})
        try:
            partitions = reader.committed([TopicPartition(self.topic, p) for p in range(3)], timeout=10)
            return sum(max(0, p.offset) for p in partitions)
        finally:
            reader.close()

    def dead_letters(self, count):
        """The first `count` dead letters; fails when there are fewer or more."""
        reader = Consumer({"bootstrap.servers": self.brokers, "group.id": secrets.token_hex(4)})
        reader.assign([TopicPartition(dead_letter_topic(self.topic, self.group), p, 0) for p in range(3)])
        found = []
        try:
            wait_until(lambda: len(found) >= count or found.extend(reader.consume(100, 0.2)) or len(found) >= count)
            found.extend(reader.consume(100, 0.5))
        finally:
            reader.close()
        assert len(found) == count
        return found


@pytest.fixture(autouse=True)
def short_back_off(monkeypatch):
    monkeypatch.setattr("libs.messaging.consumer.batch_thread.BACKOFF_CAP_SECONDS", 0.5)


@pytest.fixture
def channel(kafka):
    channel = Channel(kafka)
    yield channel
    channel.close()


def test_every_event_is_handled_and_committed_also_those_from_before_the_start(channel):
    seen = []
    for n in range(3):
        channel.send(n)
    with channel.consuming(lambda event: seen.append(event.data["n"]), commit_seconds=0) as consumer:
        wait_until(lambda: len(seen) == 3)
        channel.send(3)
        wait_until(lambda: len(seen) == 4 and consumer.status()["handled"] == 4)
        wait_until(lambda: channel.committed() == 4)
        wait_until(lambda: consumer.status()["broker"] and consumer.status()["lag"] == 0)
        assert consumer.status()["assigned"] == 3
    assert seen == [0, 1, 2, 3]
    assert consumer.status()["assigned"] == 0


def test_what_was_handled_is_committed_at_the_end_and_not_handled_again(channel):
    seen = []
    channel.send(0)
    with channel.consuming(lambda event: seen.append(event.data["n"]), commit_seconds=3600):
        wait_until(lambda: seen)
    assert channel.committed() == 1
    channel.send(1)
    with channel.consuming(lambda event: seen.append(event.data["n"])):
        wait_until(lambda: len(seen) == 2)
    assert seen == [0, 1]


def test_while_a_server_is_unavailable_the_event_stays_in_flight_and_polling_goes_on(channel):
    seen, unavailable = [], threading.Event()
    unavailable.set()

    def handle(event):
        if unavailable.is_set():
            raise ServerUnavailable("no answer")
        seen.append(event.data["n"])

    for n in range(6):
        channel.send(n, key=f"k{n % 3}", partition=n % 3)
    with channel.consuming(handle, commit_seconds=0) as consumer:
        wait_until(lambda: (consumer.status()["retrying"] or {}).get("attempts", 0) >= 2)
        assert consumer.status()["retrying"]["reason"] == "no answer"
        beat = consumer.heartbeat
        wait_until(lambda: consumer.heartbeat > beat)
        assert (seen, channel.committed(), consumer.status()["assigned"]) == ([], 0, 3)
        unavailable.clear()
        wait_until(lambda: len(seen) == 6)
        wait_until(lambda: channel.committed() == 6)
        assert consumer.status()["retrying"] is None
        assert consumer.status()["deadLetters"] == 0
    assert sorted(seen) == list(range(6))
    assert [n for n in seen if n % 3 == 0] == [0, 3]


def test_an_error_of_a_database_can_mean_unavailable_too(channel):
    seen = []

    def handle(event):
        seen.append(event.data["n"])
        if len(seen) == 1:
            raise ConnectionResetError

    channel.send(0)
    with channel.consuming(handle) as consumer:
        wait_until(lambda: consumer.status()["handled"] == 1)
    assert seen == [0, 0]
    assert consumer.status()["deadLetters"] == 0


def test_an_event_in_flight_at_the_end_is_left_for_the_next_member(channel):
    def refuse(_event):
        raise ServerUnavailable("unavailable")

    seen = []
    channel.send(0)
    with channel.consuming(refuse) as consumer:
        wait_until(lambda: consumer.status()["retrying"])
    assert channel.committed() == 0
    with channel.consuming(lambda event: seen.append(event.data["n"])):
        wait_until(lambda: seen == [0])


def break_(row, **changes):
    headers = orjson.loads(row.headers) | changes.pop("headers", {})
    return {"value": row.payload.encode(), "key": b"a", "headers": headers} | changes


MALFORMED = {
    "bad JSON": {"value": b"{not json"},
    "bad UTF-8": {"value": b'{"n": "\xff\xfe"}'},
    "nothing": {"value": None},
    "an empty value": {"value": b""},
    "a list": {"value": b"[1]"},
    "too deep": {"value": b"[" * 10_000},
    "all that a broker takes": {"value": b"\x00" + secrets.token_bytes(1_048_000)},
    "no key": {"key": None},
    "a key that is not UTF-8": {"key": b"\xff"},
    "another type": {"headers": {"ce_type": "thing-unmade"}},
    "another version of CloudEvents": {"headers": {"ce_specversion": "0.3"}},
    "no id": {"headers": {"ce_id": ""}},
    "an odd id": {"headers": {"ce_id": "ILOU" * 6 + "!!"}},
    "an id beyond ASCII": {"headers": {"ce_id": "é" * 26}},
    "an odd sequence": {"headers": {"ce_sequence": "one"}},
    "an empty header": {"headers": {"ce_type": None}},
}


def test_malformed_events_are_dead_lettered_with_their_bytes_and_the_good_ones_between_are_handled(channel):
    seen = []
    for n, change in enumerate(MALFORMED.values()):
        channel.send_raw(**break_(channel.row(n), **change), partition=n % 3)
        channel.send(n, partition=n % 3)
    with channel.consuming(lambda event: event.require_value() or seen.append(event.data["n"])) as consumer:
        wait_until(lambda: len(seen) == len(MALFORMED))
        letters = channel.dead_letters(len(MALFORMED))
    assert consumer.status()["deadLetters"] == len(MALFORMED)
    assert channel.committed() == 2 * len(MALFORMED)
    sent = [break_(channel.row(n), **change) for n, change in enumerate(MALFORMED.values())]
    assert sorted(m.value() or b"" for m in letters) == sorted(m["value"] or b"" for m in sent)
    assert sorted(m.key() or b"" for m in letters) == sorted(m["key"] or b"" for m in sent)
    for letter in letters:
        headers = dict(letter.headers())
        assert headers["x-origin-topic"].decode() == channel.topic
        assert int(headers["x-origin-partition"]) == letter.partition()
        assert {"x-origin-offset", "x-origin-ts", "x-reason", "x-attempts", "x-failed-at", "ce_source"} <= set(headers)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermanentFailure("the rules do not allow it"), "the rules do not allow it"),
        (KeyError("ada@example.com"), "handler failed: KeyError"),
    ],
)
def test_an_event_that_can_never_be_handled_is_dead_lettered_with_a_reason_that_holds_no_value(
    channel, error, reason, monkeypatch
):
    monkeypatch.setattr("libs.messaging.consumer.batch_thread.RETRY_SECONDS", (0.01,) * 5)

    def handle(_event):
        raise error

    channel.send(0)
    with channel.consuming(handle):
        (letter,) = channel.dead_letters(1)
    assert dict(letter.headers())["x-reason"].decode() == reason
    assert b"ada@" not in b"".join(value for _, value in letter.headers())


def test_when_a_member_leaves_the_other_takes_its_partitions_and_nothing_is_lost_or_repeated(channel):
    seen, lock = [], threading.Lock()

    def handle(event):
        with lock:
            seen.append(event.data["n"])

    with channel.consuming(handle, commit_seconds=0) as stays:
        wait_until(lambda: stays.status()["assigned"] == 3)
        with channel.consuming(handle, commit_seconds=0) as leaves:
            wait_until(
                lambda: leaves.status()["assigned"] and stays.status()["assigned"] + leaves.status()["assigned"] == 3
            )
            for n in range(30):
                channel.send(n, partition=n % 3)
            wait_until(lambda: len(seen) >= 30)
            for n in range(30, 60):
                channel.send(n, partition=n % 3)
        wait_until(lambda: stays.status()["assigned"] == 3)
        for n in range(60, 90):
            channel.send(n, partition=n % 3)
        wait_until(lambda: set(seen) == set(range(90)))
        wait_until(lambda: channel.committed() == 90)
    assert len(seen) == 90


def test_a_member_that_joins_while_an_event_is_in_flight_loses_nothing(channel):
    seen, unavailable = set(), threading.Event()
    unavailable.set()

    def handle(event):
        if unavailable.is_set():
            raise ServerUnavailable("unavailable")
        seen.add(event.data["n"])

    for n in range(30):
        channel.send(n, partition=n % 3)
    with channel.consuming(handle) as first:
        wait_until(lambda: first.status()["retrying"])
        with channel.consuming(handle) as second:
            wait_until(
                lambda: second.status()["assigned"] and first.status()["assigned"] + second.status()["assigned"] == 3
            )
            wait_until(lambda: second.status()["retrying"])
            unavailable.clear()
            wait_until(lambda: seen == set(range(30)), 30)


def test_each_keys_order_is_kept_and_all_is_committed(channel):
    seen, lock = {}, threading.Lock()

    def handle(event):
        with lock:
            seen.setdefault(event.subject, []).append(event.data["n"])

    for n in range(200):
        channel.send(n, key=f"k{n % 10}")
    with channel.consuming(handle, commit_seconds=0) as consumer:
        wait_until(lambda: consumer.status()["handled"] == 200)
        wait_until(lambda: channel.committed() == 200)
    assert seen == {f"k{k}": list(range(k, 200, 10)) for k in range(10)}


def test_more_events_than_may_be_in_flight_wait_while_a_server_is_unavailable(channel):
    unavailable, seen = threading.Event(), []
    unavailable.set()

    def handle(event):
        if unavailable.is_set():
            raise ServerUnavailable("no answer")
        seen.append(event.data["n"])

    many = MAX_OPEN_EVENTS + 70
    for n in range(many):
        channel.send(n, partition=n % 3)
    with channel.consuming(handle) as consumer:
        wait_until(lambda: consumer.status()["retrying"])
        polled = consumer.heartbeat
        wait_until(lambda: consumer.heartbeat > polled + 1)
        unavailable.clear()
        wait_until(lambda: len(seen) == many, 40)
        wait_until(lambda: channel.committed() == many)
    assert sorted(seen) == list(range(many))


def test_a_partition_that_was_revoked_while_paused_is_consumed_when_it_comes_back(channel):
    seen, lock, unavailable = set(), threading.Lock(), threading.Event()
    unavailable.set()

    def handle(event):
        with lock:
            seen.add(event.data["n"])

    def handle_if_available(event):
        if unavailable.is_set():
            raise ServerUnavailable("no answer")
        handle(event)

    first, last = MAX_OPEN_EVENTS + 70, MAX_OPEN_EVENTS + 100
    for n in range(first):
        channel.send(n, partition=n % 3)
    with channel.consuming(handle_if_available) as stays:
        wait_until(lambda: stays._paused)
        with channel.consuming(handle) as leaves:
            wait_until(lambda: leaves.status()["assigned"] and stays.status()["assigned"] < 3, 30)
            unavailable.clear()
            wait_until(lambda: seen == set(range(first)), 40)
        wait_until(lambda: stays.status()["assigned"] == 3, 30)
        for n in range(first, last):
            channel.send(n, partition=n % 3)
        wait_until(lambda: seen == set(range(last)), 30)
