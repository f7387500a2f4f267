"""What a batch thread does with its events: in which batches it handles them, and what a failure of a batch means."""

import threading
import time

import pytest
from prometheus_client import REGISTRY

from libs.messaging.consumer import batch_thread as module
from libs.messaging.consumer.batch_thread import BatchThread
from libs.messaging.consumer.queued_event import QueuedEvent
from libs.messaging.failures import FailureKind, PermanentFailure, ServerUnavailable, TransientFailure

GOOD = object()
IDS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Message:
    """Event `n` of a key."""

    def __init__(self, n, key="a", value=GOOD, topic="made"):
        self._n, self._key, self._topic = n, key, topic
        self._value = value if value != GOOD else b'{"n": %d}' % n

    def topic(self):
        return self._topic

    def partition(self):
        return 0

    def offset(self):
        return self._n

    def key(self):
        return self._key.encode()

    def value(self):
        return self._value

    def headers(self):
        number = IDS[self._n // 32] + IDS[self._n % 32]
        texts = {"ce_specversion": "1.0", "ce_type": self._topic, "ce_id": f"01K0000000000000000000{number:0>4}"}
        return [(name, text.encode()) for name, text in texts.items()]


class Database:
    """A database driver: `kinds` says what an error means, `up` whether the server answers."""

    def __init__(self):
        self.kinds, self.up, self.pings = {}, True, 0

    def kind_of(self, error):
        return self.kinds.get(type(error), FailureKind.OWN)

    def answers(self):
        self.pings += 1
        return self.up


class Conflict(Exception):
    pass


class Slow(Exception):
    pass


class World:
    """A batch thread over a handler that records its batches. `fail(numbers, tries)` returns an error to raise, or None."""

    def __init__(
        self, fail=lambda numbers, tries: None, refuse=lambda numbers: {}, weigh=lambda event: 1, compacted=()
    ):
        self.batches, self.tries, self.letters, self.pauses = [], [], [], []
        self.fail, self.refuse, self.letter_failures = fail, refuse, []
        self.database = Database()
        self.database.kinds = {ConnectionError: FailureKind.UNAVAILABLE, Conflict: FailureKind.CONFLICT}
        self.database.kinds[Slow] = FailureKind.LIMIT
        self.thread = BatchThread(self.handle, self.dead_letter, self.database, weigh, compacted)
        self.thread._pause = self.pauses.append
        self.jobs = []

    def handle(self, events):
        numbers = [event.data["n"] for event in events]
        self.tries.append(numbers)
        if (error := self.fail(numbers, self.tries)) is not None:
            raise error
        self.batches.append(numbers)
        refused = self.refuse(numbers)
        return {event.id: refused[event.data["n"]] for event in events if event.data["n"] in refused}

    def dead_letter(self, job):
        if self.letter_failures:
            raise self.letter_failures.pop(0)
        self.letters.append((job.offset, job.outcome, job.attempts))

    def put(self, *messages):
        for message in messages:
            self.jobs.append(QueuedEvent.of(message))
            self.thread.put(self.jobs[-1])

    def run(self, *messages):
        """Handle these messages to their ends."""
        self.put(*messages)
        self.thread.start()
        self.wait(lambda: all(job.done for job in self.jobs))
        self.thread.end()
        self.thread._thread.join(10)
        return self

    def wait(self, condition):
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, (self.tries, self.letters)
            time.sleep(0.001)

    @property
    def handled(self):
        return [n for batch in self.batches for n in batch]


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(module.random, "uniform", lambda low, high: high)
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.01, 0.02, 0.03, 0.04, 0.05))


def many(count, key=lambda n: f"k{n}"):
    return [Message(n, key(n)) for n in range(count)]


def test_what_waits_is_handled_at_once_and_in_order():
    world = World().run(*many(250))
    assert [len(batch) for batch in world.batches] == [100, 100, 50]
    assert world.handled == list(range(250))
    assert world.thread.metrics.status()["batchSize"]["count"] == 3
    assert (world.thread.open_events, world.thread.open_bytes) == (0, 0)


def test_a_batch_has_at_most_500_order_lines_and_a_mebibyte():
    world = World(weigh=lambda event: 200).run(*many(5))
    assert world.batches == [[0, 1], [2, 3], [4]]
    large = [Message(n, "a", b'{"n": %d, "x": "%s"}' % (n, b"x" * 400_000)) for n in range(4)]
    assert World().run(*large).batches == [[0, 1], [2, 3]]


def test_an_event_of_the_full_weight_is_alone():
    world = World(weigh=lambda event: 500 if event.data["n"] == 2 else 1).run(*many(5))
    assert world.batches == [[0, 1], [2], [3, 4]]


def test_an_event_that_is_heavier_than_a_batch_is_handled_too():
    assert World(weigh=lambda event: 900).run(*many(2)).batches == [[0], [1]]


def test_of_a_batch_of_100_the_event_that_fails_alone_is_a_dead_letter_and_99_are_stored():
    world = World(fail=lambda numbers, tries: KeyError("ada@x") if 37 in numbers else None).run(*many(100))
    assert sorted(world.handled) == [n for n in range(100) if n != 37]
    assert world.letters == [(37, "handler failed: KeyError", 6)]
    assert world.tries.count([37]) == 6
    assert world.thread.metrics.halvings == 6
    assert len(world.tries) < 30


def test_the_halves_of_a_batch_keep_the_order():
    world = World(fail=lambda numbers, tries: ValueError() if len(numbers) > 3 else None)
    assert world.run(*many(20, lambda n: "a")).handled == list(range(20))


def test_later_events_of_a_held_key_wait_and_all_others_go_on():
    world = World(
        fail=lambda numbers, tries: TransientFailure("not yet") if 5 in numbers and tries.count([5]) < 3 else None
    )
    world.run(*many(30, lambda n: f"k{n % 10}"))
    own = [n for n in world.handled if n % 10 == 5]
    assert own == [5, 15, 25]
    assert world.handled[-3:] == own
    assert world.letters == []
    assert len(world.thread.held) == 0


def test_events_that_come_later_wait_behind_a_held_key_too(monkeypatch):
    may_pass = threading.Event()
    world = World(fail=lambda numbers, tries: None if may_pass.is_set() or 0 not in numbers else ValueError())
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.2,) * 5)
    world.put(Message(0, "a"))
    world.thread.start()
    world.wait(lambda: len(world.thread.held))
    assert [status["reason"] for status in world.thread.held.status()] == ["handler failed: ValueError"]
    world.put(Message(1, "a"), Message(2, "b"))
    world.wait(lambda: 2 in world.handled)
    assert 1 not in world.handled
    may_pass.set()
    world.wait(lambda: world.handled == [2, 0, 1])


def test_a_dead_letter_frees_the_events_behind_it():
    world = World(fail=lambda numbers, tries: TransientFailure("full") if 0 in numbers else None)
    world.run(Message(0), Message(1), Message(2))
    assert (world.letters, world.handled) == ([(0, "full", 6)], [1, 2])


def test_refused_events_are_dead_letters_after_the_others_are_stored():
    world = World(refuse=lambda numbers: {3: "no such order", 4: ""}).run(*many(6))
    assert world.letters == [(3, "no such order", 1), (4, "refused", 1)]
    assert world.batches == [[0, 1, 2, 3, 4, 5]]
    assert [job.outcome for job in world.jobs] == ["", "", "", "no such order", "refused", ""]


@pytest.mark.parametrize("error", [PermanentFailure("unwanted"), PermanentFailure()])
def test_a_failure_of_a_batch_that_is_permanent_is_that_of_one_event(error):
    world = World(fail=lambda numbers, tries: error if 2 in numbers else None).run(*many(5))
    assert world.letters == [(2, str(error) or "PermanentFailure", 1)]
    assert world.handled == [0, 1, 3, 4]


def test_malformed_events_never_reach_the_handler():
    messages = [Message(0), Message(1, value=b"{not json"), Message(2), Message(3, value=b"")]
    world = World().run(*messages)
    assert world.batches == [[0, 2]]
    assert [(offset, attempts) for offset, _, attempts in world.letters] == [(1, 1), (3, 1)]


@pytest.mark.parametrize("error", [ConnectionError(), ServerUnavailable("no answer")])
def test_an_unavailable_server_halves_nothing_counts_nothing_and_is_waited_for(error):
    world = World(fail=lambda numbers, tries: error if len(tries) <= 7 else None).run(*many(100))
    assert world.tries == [list(range(100))] * 8
    assert world.pauses == [1, 2, 4, 8, 15, 15, 15]
    assert world.thread._size.events == 100
    assert world.thread.metrics.halvings == 0
    assert [job.attempts for job in world.jobs] == [1] * 100
    assert world.thread.retrying == {}


def test_after_a_conflict_the_same_events_come_again_in_batches_of_half_the_size():
    world = World(fail=lambda numbers, tries: Conflict() if len(tries) <= 2 else None).run(*many(100))
    assert [len(batch) for batch in world.batches] == [25, 25, 50]
    assert world.handled == list(range(100))
    assert [job.attempts for job in world.jobs] == [1] * 100
    assert world.thread.metrics.conflicts == 2


def test_a_lone_event_in_conflict_is_tried_without_an_end():
    world = World(fail=lambda numbers, tries: Conflict() if len(tries) <= 40 else None).run(Message(0))
    assert (world.handled, world.letters, world.jobs[0].attempts) == ([0], [], 1)


def test_a_time_limit_halves_the_size_when_the_server_answers():
    world = World(fail=lambda numbers, tries: Slow() if len(numbers) > 30 else None).run(*many(100))
    assert [len(batch) for batch in world.batches] == [25] * 4
    assert world.database.pings == 3


def test_a_time_limit_while_the_server_does_not_answer_is_an_outage():
    world = World()

    def fail(_numbers, tries):
        world.database.up = len(tries) > 3
        return Slow() if len(tries) <= 3 else None

    world.fail = fail
    world.run(*many(100))
    assert world.tries == [list(range(100))] * 4
    assert world.pauses == [1, 2, 4]


def test_an_event_that_alone_meets_the_time_limit_five_times_has_failed_by_itself():
    world = World(fail=lambda numbers, tries: Slow() if 1 in numbers else None).run(*many(3))
    assert world.letters == [(1, "handler failed: Slow", 6)]
    assert world.tries.count([1]) == 5 + 5
    assert sorted(world.handled) == [0, 2]


def test_the_size_grows_again_after_ten_quick_batches_and_shrinks_after_a_slow_one():
    size = module.BatchSize()
    size.halve()
    for _ in range(9):
        size.note(0.4)
    assert size.events == 50
    size.note(0.4)
    assert size.events == 100
    size.note(1.1)
    assert size.events == 50
    for _ in range(20):
        size.halve()
    assert size.events == 1


def test_a_long_batch_is_followed_by_a_rest(monkeypatch):
    monkeypatch.setattr(module, "REST_AFTER_SECONDS", -1)
    assert World().run(Message(0)).pauses == [module.REST_SECONDS]
    monkeypatch.setattr(module, "REST_AFTER_SECONDS", 60)
    assert World().run(Message(0)).pauses == []


def test_a_dead_letter_that_can_not_be_written_is_written_later_and_nothing_is_handled_again():
    world = World(refuse=lambda numbers: {1: "unwanted"})
    world.letter_failures = [ServerUnavailable("Kafka")] * 3
    world.run(*many(3))
    assert (world.letters, world.batches, world.pauses) == ([(1, "unwanted", 1)], [[0, 1, 2]], [1, 2, 4])


def test_events_that_are_dropped_are_left_to_the_next_owner():
    world = World(fail=lambda numbers, tries: ServerUnavailable("no answer"))
    del world.thread._pause  # the real one: it ends when events are dropped
    world.put(*many(5))
    world.thread.start()
    world.wait(lambda: len(world.tries) >= 1 and world.thread.retrying)
    world.thread.drop(world.jobs)
    world.wait(lambda: not any(job.active for job in world.jobs))
    tries = len(world.tries)
    world.fail = lambda numbers, tries: None
    world.put(Message(7, "z"))
    world.wait(lambda: world.jobs[-1].done)
    assert world.handled == [7]
    assert len(world.tries) == tries + 1
    assert not any(job.done for job in world.jobs[:-1])
    assert world.thread.open_events == 0


def test_a_held_event_that_is_dropped_frees_those_of_its_key_that_stay(monkeypatch):
    world = World(fail=lambda numbers, tries: ValueError() if 0 in numbers else None)
    monkeypatch.setattr(module, "RETRY_SECONDS", (60,) * 5)
    world.put(Message(0, "a"))
    world.thread.start()
    world.wait(lambda: len(world.thread.held))
    world.put(Message(1, "a"), Message(2, "a", topic="other"))
    world.wait(lambda: len(world.thread.held._held[b"a"].jobs) == 3)
    world.thread.drop(world.jobs[:2])
    world.put(Message(3, "b"))
    world.wait(lambda: world.jobs[2].done and world.jobs[3].done)
    assert sorted(world.handled) == [2, 3]


def test_a_done_event_keeps_its_offset_alone():
    world = World().run(Message(4))
    assert (world.jobs[0].message, world.jobs[0].event, world.jobs[0].offset) == (None, None, 4)


COUNTERS = (
    ("consumer_handled_total", ""),
    ("consumer_dead_letters_total", "refused"),
    ("consumer_dead_letters_total", "malformed"),
    ("consumer_retries_total", "conflict"),
)


def counted(name, reason):
    return REGISTRY.get_sample_value(name, {"topic": "made"} | ({"reason": reason} if reason else {})) or 0.0


def test_events_are_counted_by_topic_outcome_and_class_of_reason():
    refused = World(refuse=lambda numbers: {1: "no such order of ada@x"})
    refused.fail = lambda numbers, tries: Conflict() if len(tries) <= 1 else None
    before = {counter: counted(*counter) for counter in COUNTERS}
    refused.run(*many(3), Message(3, value=b"["))
    assert [counted(*counter) - before[counter] for counter in COUNTERS] == [2, 1, 1, 3]


def test_a_tombstone_of_a_compacted_topic_is_done_and_another_one_is_a_dead_letter():
    messages = [Message(0), Message(1, value=None), Message(2, value=None, topic="kept"), Message(3)]
    world = World(compacted={"kept"}).run(*messages)
    assert world.batches == [[0, 3]]
    assert world.letters == [(1, "the event has no value", 1)]
    assert [job.outcome for job in world.jobs] == ["", "the event has no value", "", ""]
