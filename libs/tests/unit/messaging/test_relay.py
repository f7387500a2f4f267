"""The relay over a fake store and a fake producer."""

import threading
from collections import deque
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaError, KafkaException
from django.db import OperationalError, ProgrammingError
from pymongo.errors import NotPrimaryError, OperationFailure
from structlog.testing import capture_logs

from libs.django_store import failures as django_failures
from libs.messaging.consumer.batches import FEW_EVENTS, waking
from libs.messaging.relay import Relay, sorted_by_aggregate
from libs.mongo_store import failures as mongo_failures

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def row(event_id, aggregate="a", sequence=1, topic="thing-made"):
    return SimpleNamespace(
        event_id=event_id,
        topic=topic,
        aggregate_id=aggregate,
        sequence=sequence,
        payload="{}",
        headers=f'{{"ce_id": "{event_id}", "traceparent": "{TRACEPARENT}"}}',
        created_at=None,
    )


class Store:
    @staticmethod
    def is_temporary(error):
        return isinstance(error, ConnectionError)

    def __init__(self, *rows):
        self.rows, self.dead, self.outages = list(rows), [], 0
        self.empty = threading.Event()

    def renew_lease(self, owner, seconds):
        return True

    def pending(self, limit):
        if self.outages:
            self.outages -= 1
            raise ConnectionError
        if not self.rows:
            self.empty.set()
        return self.rows[:limit]

    def delete(self, rows):
        gone = {row.event_id for row in rows}
        self.rows = [row for row in self.rows if row.event_id not in gone]

    def move_to_dead(self, row, reason):
        self.delete([row])
        self.dead.append((row.event_id, reason))

    def backlog(self):
        return len(self.rows), 0.0

    def count_dead(self):
        return len(self.dead)


class Producer:
    """Acknowledges on flush; `errors` holds what to answer instead, a list an event."""

    def __init__(self, sent, errors):
        self._sent, self._errors, self._queue = sent, errors, deque()

    def produce(self, topic, value, key, headers, on_delivery):
        waiting = self._errors.get(topic, [])
        if waiting and isinstance(waiting[0], Exception):
            raise waiting.pop(0)
        self._queue.append((topic, key.decode(), dict(headers), on_delivery))

    def flush(self, _seconds):
        while self._queue:
            topic, key, _headers, delivered = self._queue.popleft()
            error = self._errors[topic].pop(0) if self._errors.get(topic) else None
            if error is None:
                self._sent.append((topic, key))
            delivered(error, SimpleNamespace(topic=lambda name=topic: name, partition=lambda: 2, offset=lambda: 7))
        return 0

    def __len__(self):
        return len(self._queue)


def run_until_empty(store, errors=None):
    sent, producers, stop = [], [], threading.Event()

    def make():
        producers.append(Producer(sent, errors or {}))
        return producers[-1]

    relay = Relay(store, make)
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    assert store.empty.wait(10)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    return sent, producers, relay.status()


def test_rows_are_published_and_deleted():
    store = Store(row("1"), row("2", sequence=2))
    sent, _, state = run_until_empty(store)
    assert sent == [("thing-made", "a")] * 2
    assert (store.rows, state["published"], state["pending"]) == ([], 2, 0)


def test_an_aggregate_is_published_in_the_order_of_its_sequence():
    rows = [row("3", "b", 3), row("9", "a", 2), row("1", "b", 1), row("2", "a", 1)]
    assert [(r.aggregate_id, r.sequence) for r in sorted_by_aggregate(rows)] == [("b", 1), ("b", 3), ("a", 1), ("a", 2)]


def test_a_row_that_can_never_be_published_moves_to_dead_and_the_rest_is_published():
    store = Store(row("1", topic="large"), row("2"))
    sent, _, state = run_until_empty(store, {"large": [KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)]})
    assert store.dead == [("1", "MSG_SIZE_TOO_LARGE")]
    assert (sent, state["buried"]) == ([("thing-made", "a")], 1)


@pytest.mark.parametrize("failure", [KafkaError(KafkaError._FATAL), KafkaException(KafkaError(KafkaError._FATAL))])
def test_after_a_fatal_error_a_new_producer_sends_the_row_that_stayed(failure):
    store = Store(row("1"))
    sent, producers, state = run_until_empty(store, {"thing-made": [failure]})
    assert (len(sent), len(producers), state["failed"]) == (1, 2, 1)


def test_a_full_queue_loses_nothing():
    store = Store(row("1"), row("2", sequence=2))
    sent, _, _ = run_until_empty(store, {"thing-made": [BufferError("queue full")]})
    assert len(sent) == 2


def test_an_outage_of_the_database_loses_nothing(monkeypatch):
    monkeypatch.setattr("libs.messaging.relay.UNAVAILABLE_SECONDS", 0.01)
    store = Store(row("1"))
    store.outages = 3
    sent, _, _ = run_until_empty(store)
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("database", "error"),
    [
        (mongo_failures, OperationFailure("Authentication failed.", 18)),
        (mongo_failures, NotPrimaryError("read-only")),
        (django_failures, OperationalError(1045, "Access denied")),
        (django_failures, OperationalError(1290, "running with --read-only")),
        (django_failures, ProgrammingError(1142, "DELETE command denied")),
    ],
    ids=repr,
)
@pytest.mark.parametrize("method", ["renew_lease", "pending", "delete"])
def test_a_refused_login_and_a_read_only_server_are_outages(monkeypatch, database, error, method):
    monkeypatch.setattr("libs.messaging.relay.UNAVAILABLE_SECONDS", 0.01)
    monkeypatch.setattr("libs.messaging.relay.RENEW_SECONDS", 0)
    store, failures = Store(row("1")), [error, error]
    work = getattr(store, method)

    def fail_twice(*arguments):
        if failures:
            raise failures.pop()
        return work(*arguments)

    monkeypatch.setattr(store, method, fail_twice)
    monkeypatch.setattr(store, "is_temporary", database.is_temporary, raising=False)
    sent, _, _ = run_until_empty(store)
    assert set(sent) == {("thing-made", "a")}
    assert failures == []


def test_a_defect_ends_the_relay(monkeypatch):
    store = Store(row("1"))
    monkeypatch.setattr(store, "pending", lambda limit: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Relay(store, lambda: None).run(threading.Event())


def test_a_relay_stops_while_the_database_refuses_it(monkeypatch):
    store, stop = Store(row("1")), threading.Event()
    stop.set()
    monkeypatch.setattr(store, "is_temporary", mongo_failures.is_temporary, raising=False)
    monkeypatch.setattr(store, "pending", Mock(side_effect=OperationFailure("Authentication failed.", 18)))
    Relay(store, lambda: None).run(stop)
    assert store.pending.call_count == 1


def test_an_event_that_the_client_refuses_holds_back_the_later_events_of_its_aggregate():
    rows = [row("1", topic="first"), row("2", sequence=2, topic="second"), row("3", "b", topic="other")]
    sent, _, _ = run_until_empty(Store(*rows), {"first": [BufferError("queue full")]})
    assert sent == [("other", "b"), ("first", "a"), ("second", "a")]


def test_each_published_event_is_a_line_with_its_trace_and_its_place():
    with capture_logs() as lines:
        run_until_empty(Store(row("1", aggregate="a7")))
    (line,) = [line for line in lines if line["event"] == "event published"]
    assert line["log_level"] == "info"
    assert (line["trace_id"], line["event_id"], line["topic"], line["aggregate_id"]) == (TRACE, "1", "thing-made", "a7")
    assert (line["partition"], line["offset"]) == (2, 7)


def test_the_relay_changes_no_header():
    store, seen = Store(row("1")), []

    class Recording(Producer):
        def produce(self, topic, value, key, headers, on_delivery):
            seen.append(dict(headers))
            super().produce(topic, value, key, headers, on_delivery)

    relay = Relay(store, lambda: Recording([], {}))
    assert relay._publish_batch(lambda: True) == 1
    assert seen == [{"ce_id": "1", "traceparent": TRACEPARENT}]


def test_the_status_counts_takeovers_and_dead_events():
    store = Store(row("1", topic="large"))
    _, _, state = run_until_empty(store, {"large": [KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)]})
    assert (state["takeovers"], state["dead"]) == (1, 1)


def test_a_relay_that_is_woken_publishes_at_once(monkeypatch):
    monkeypatch.setattr("libs.messaging.relay.IDLE_SECONDS", 60.0)
    store, sent, published, stop = Store(), [], threading.Event(), threading.Event()

    class Reporting(Producer):
        def flush(self, seconds):
            super().flush(seconds)
            published.set()
            return 0

    relay = Relay(store, lambda: Reporting(sent, {}))
    thread = threading.Thread(target=relay.run, args=(stop,), daemon=True)
    thread.start()
    assert store.empty.wait(10)  # it rests now, or soon
    store.rows.append(row("1"))
    relay.wake()
    assert published.wait(10)
    stop.set()
    relay.wake()
    thread.join(10)
    assert not thread.is_alive()
    assert sent == [("thing-made", "a")]


def test_a_handler_of_few_events_wakes_the_relay_once_they_are_stored():
    done = []
    handle = waking(lambda events: done.append(len(events)) or {"x": "refused"}, lambda: done.append("woken"))
    assert handle([None] * FEW_EVENTS) == {"x": "refused"}
    assert handle([None] * (FEW_EVENTS + 1)) == {"x": "refused"}
    assert done == [FEW_EVENTS, "woken", FEW_EVENTS + 1]


def test_a_handler_that_fails_wakes_nothing():
    woken = []

    def fail(_events):
        raise ValueError

    with pytest.raises(ValueError):
        waking(fail, lambda: woken.append(1))([None])
    assert woken == []
