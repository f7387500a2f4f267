"""The outcome of an event in a handler thread. The waits are recorded and not waited for."""

import threading

import pytest
from prometheus_client import REGISTRY
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from ulid import ULID

from libs.messaging import event_metrics
from libs.messaging import handler_pool as module
from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.messaging.handler_pool import HandlerPool, Job
from libs.runtime import trace_context

KEY = b"507f1f77bcf86cd799439011"
HEADERS = {"ce_specversion": "1.0", "ce_type": "made", "ce_id": "01K00000000000000000000000"}


class Message:
    def __init__(self, key=b"a", value=b'{"n": 1}'):
        self._key, self._value = key, value

    def topic(self):
        return "made"

    def partition(self):
        return 0

    def offset(self):
        return 7

    def key(self):
        return self._key

    def value(self):
        return self._value

    def headers(self):
        return [(name, text.encode()) for name, text in HEADERS.items()]


class Dropped:
    """A job's `dropped`: records the waits and returns at once. `drop_after` waits it is set."""

    def __init__(self, drop_after=None):
        self.waits, self._drop_after = [], drop_after

    def wait(self, seconds):
        if seconds:
            self.waits.append(seconds)

    def is_set(self):
        return self._drop_after is not None and len(self.waits) >= self._drop_after


class Script:
    """A handler that raises `failures` and then succeeds, and a writer of dead letters that does the same."""

    def __init__(self, *failures, letter_failures=()):
        self._failures, self._letter_failures = list(failures), list(letter_failures)
        self.handled, self.letters = 0, []

    def handle(self, _event):
        if self._failures:
            raise self._failures.pop(0)
        self.handled += 1

    def dead_letter(self, job):
        if self._letter_failures:
            raise self._letter_failures.pop(0)
        self.letters.append((job.outcome, job.attempts))


def run(script, *jobs, count=1):
    pool = HandlerPool(count, lambda topic: script.handle, script.dead_letter, (ConnectionError,))
    for job in jobs:
        pool.put(job)
    pool.end()
    pool.start()
    for thread in pool._threads:
        thread.join(60)
    return pool


def job(drop_after=None, **message):
    return Job(Message(**message), dropped=Dropped(drop_after))


@pytest.fixture(autouse=True)
def longest_wait(monkeypatch):
    monkeypatch.setattr(module.random, "uniform", lambda low, high: high)


def test_a_handled_event_is_done():
    script, one = Script(), job()
    pool = run(script, one)
    assert (script.handled, one.done, one.outcome, one.active) == (1, True, "", False)
    assert pool.progress.is_set()
    assert (pool.retrying, pool.busy_since) == ({}, {})


@pytest.mark.parametrize("error", [ServerUnavailable("no answer"), ConnectionError()])
def test_while_a_server_is_unavailable_back_off_doubles_up_to_a_minute_and_never_ends_in_a_dead_letter(error):
    script, one = Script(*[error] * 9), job()
    run(script, one)
    assert one.dropped.waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (script.handled, script.letters) == (1, [])


@pytest.mark.parametrize(
    ("error", "reason"),
    [(TransientFailure("mailbox full"), "mailbox full"), (KeyError("ada@x"), "handler failed: KeyError")],
)
def test_an_event_that_fails_by_itself_has_five_more_tries_in_half_a_minute_then_it_is_a_dead_letter(error, reason):
    script, one = Script(*[error] * 6), job()
    run(script, one)
    assert sum(one.dropped.waits) == 30
    assert script.letters == [(reason, 6)]
    assert (script.handled, one.done) == (0, True)


def test_outages_do_not_use_up_the_tries_of_an_event():
    failures = [ServerUnavailable("no answer")] * 3 + [TransientFailure("full")] * 5
    script, one = Script(*failures), job()
    run(script, one)
    assert (script.handled, script.letters) == (1, [])


@pytest.mark.parametrize(
    ("error", "reason"), [(PermanentFailure("unwanted"), "unwanted"), (PermanentFailure(), "PermanentFailure")]
)
def test_a_refused_event_is_a_dead_letter_at_once(error, reason):
    script, one = Script(error), job()
    run(script, one)
    assert (script.letters, one.dropped.waits) == ([(reason, 1)], [])


def test_a_malformed_event_never_reaches_the_handler():
    script = Script()
    run(script, job(value=b"{not json"))
    assert script.handled == 0
    assert len(script.letters) == 1


def test_a_dead_letter_that_can_not_be_written_is_written_later_and_the_handler_is_not_asked_again():
    script, one = Script(PermanentFailure("unwanted"), letter_failures=[ServerUnavailable("Kafka")] * 2), job()
    run(script, one)
    assert (script.handled, script.letters, one.done) == (0, [("unwanted", 1)], True)


def test_a_job_dropped_while_it_waits_is_left_to_the_next_owner():
    script, one = Script(*[ServerUnavailable("no answer")] * 9), job(drop_after=2)
    pool = run(script, one)
    assert (one.done, one.active, script.letters) == (False, False, [])
    assert pool.retrying == {}


def test_a_job_dropped_before_its_turn_is_not_tried():
    script, one = Script(), job(drop_after=0)
    run(script, one)
    assert (script.handled, one.done) == (0, False)


def test_events_of_one_key_keep_their_order_and_other_keys_go_beside_them():
    seen, first_may_end, lock = [], threading.Event(), threading.Lock()

    def handle(event):
        if event.subject == "slow" and event.data["n"] == 0:
            assert first_may_end.wait(10)
        with lock:
            seen.append((event.subject, event.data["n"]))
        if event.subject == "quick" and event.data["n"] == 1:
            first_may_end.set()

    script = Script()
    script.handle = handle
    jobs = [job(key=key, value=b'{"n": %d}' % n) for n in range(2) for key in (b"slow", b"quick")]
    run(script, *jobs, count=8)
    assert seen.index(("quick", 1)) < seen.index(("slow", 0)) < seen.index(("slow", 1))


def lines_of(script, one):
    with capture_logs(processors=[merge_contextvars]) as lines:
        run(script, one)
    return lines


def test_a_handled_event_is_one_line_whatever_it_took():
    lines = lines_of(Script(ServerUnavailable("no answer"), TransientFailure("full")), job(key=KEY))
    assert [line["event"] for line in lines] == ["event not handled yet"] * 2 + ["event handled"]
    assert lines[-1]["attempts"] == 3
    for line in lines:
        assert (line["event_id"], line["topic"], line["aggregate_id"]) == (HEADERS["ce_id"], "made", KEY.decode())
        assert line["trace_id"] == ULID.from_str(HEADERS["ce_id"]).hex


@pytest.mark.parametrize("one", [{"value": b"{not json"}, {}])
def test_an_event_that_is_not_handled_has_no_line_that_says_so(one):
    script = Script(PermanentFailure("unwanted"))
    assert [line["event"] for line in lines_of(script, job(**one))] == []
    assert len(script.letters) == 1


def test_the_handler_works_in_the_trace_of_the_event():
    seen = []
    script = Script()
    script.handle = lambda event: seen.append((trace_context.current(), event.trace))
    run(script, job())
    assert seen[0][0] == seen[0][1]
    assert seen[0][0].trace_id == ULID.from_str(HEADERS["ce_id"]).hex


def counted(name, topic="made", **labels):
    return REGISTRY.get_sample_value(name, {"topic": topic, **labels}) or 0.0


OUTCOMES = [
    ("consumer_handled_total", {}),
    ("consumer_retries_total", {"reason": "unavailable"}),
    ("consumer_retries_total", {"reason": "failed"}),
    ("consumer_dead_letters_total", {"reason": "malformed"}),
    ("consumer_dead_letters_total", {"reason": "refused"}),
    ("consumer_dead_letters_total", {"reason": "failed"}),
]


@pytest.mark.parametrize(
    ("failures", "message", "counts"),
    [
        ([], {}, [1, 0, 0, 0, 0, 0]),
        ([ServerUnavailable("no answer")] * 3, {}, [1, 3, 0, 0, 0, 0]),
        ([TransientFailure("full")] * 2 + [KeyError()], {}, [1, 0, 3, 0, 0, 0]),
        ([KeyError()] * 6, {}, [0, 0, 5, 0, 0, 1]),
        ([PermanentFailure()], {}, [0, 0, 0, 0, 1, 0]),
        ([], {"value": b"{not json"}, [0, 0, 0, 1, 0, 0]),
    ],
)
def test_what_became_of_an_event_is_counted_by_topic_and_class_of_the_reason(failures, message, counts):
    before = [counted(name, **labels) for name, labels in OUTCOMES]
    run(Script(*failures), job(**message))
    assert [counted(name, **labels) for name, labels in OUTCOMES] == [
        a + b for a, b in zip(before, counts, strict=True)
    ]


def test_a_dead_letter_that_can_not_be_written_is_a_retry():
    before = counted("consumer_retries_total", reason="unavailable")
    run(Script(PermanentFailure(), letter_failures=[ServerUnavailable("Kafka")] * 2), job())
    assert counted("consumer_retries_total", reason="unavailable") == before + 2


def test_the_counters_of_a_topic_begin_at_0():
    event_metrics.declare(["never-seen"])
    for name, labels in OUTCOMES:
        assert REGISTRY.get_sample_value(name, {"topic": "never-seen", **labels}) == 0.0
