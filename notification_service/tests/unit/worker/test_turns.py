"""Turns: links first, then the oldest event whose key is free; a partition that is stuck bounds itself alone."""

import pytest
from confluent_kafka import Message

from notification_service.worker.turns import MAX_OPEN, MAX_WAITING, Turns

PLACES = [
    (topic, partition) for topic in ("order-placed", "order-confirmed", "user-mail-requested") for partition in (0, 1)
]


def message(number, topic="order-placed", *, key="", sequence=1, partition=0, offset=0):
    headers = {"ce_specversion": "1.0", "ce_id": f"01K{number:023}", "ce_type": topic, "ce_sequence": str(sequence)}
    pairs = [(name, text.encode()) for name, text in headers.items()]
    key = key or f"k{number}"
    return Message(topic=topic, partition=partition, offset=offset, key=key.encode(), value=b"{}", headers=pairs)


@pytest.fixture
def turns():
    turns = Turns()
    turns.assign(PLACES)
    return turns


def number_of(job):
    return int(job.event.id[3:]) if job else None


def take(turns, now=0.0):
    return number_of(turns.take(now))


def test_links_come_first_and_then_the_oldest_event_of_all_partitions(turns):
    turns.accept(
        [message(3), message(5, "order-confirmed"), message(4, partition=1), message(9, "user-mail-requested")]
    )
    turns.accept([message(1, "order-confirmed", partition=1)])
    assert [take(turns) for _ in range(6)] == [9, 1, 3, 4, 5, None]


def test_an_event_waits_for_the_busy_event_of_its_key_in_whichever_topic(turns):
    turns.accept([message(1, key="a"), message(2, "order-confirmed", key="a", sequence=2), message(3)])
    first = turns.take(0.0)
    assert [take(turns), take(turns)] == [3, None]
    turns.finish(first)
    assert take(turns) == 2


def test_the_sequence_of_an_aggregate_counts_more_than_the_time_of_its_events(turns):
    turns.accept([message(1, "order-confirmed", key="a", sequence=2), message(2, key="a", sequence=1)])
    first = turns.take(0.0)
    assert number_of(first) == 2
    turns.finish(first)
    assert take(turns) == 1


def test_an_event_never_overtakes_one_of_its_key_and_partition(turns):
    turns.accept([message(5, key="a", sequence=3), message(2, key="a", sequence=1, offset=1)])
    first = turns.take(0.0)
    assert number_of(first) == 5
    turns.finish(first)
    assert take(turns) == 2


def test_an_event_that_is_put_back_holds_its_key_until_its_time_and_no_other_one(turns):
    turns.accept([message(1, key="a"), message(2, key="a", offset=1), message(3, offset=2)])
    first = turns.take(0.0)
    turns.put_back(first, 10.0)
    assert [take(turns, 5.0), take(turns, 5.0)] == [3, None]
    assert turns.take(10.0) is first
    turns.finish(first)
    assert take(turns, 10.0) == 2


def test_offsets_are_committed_up_to_the_first_event_that_is_not_done(turns):
    turns.accept([message(n, offset=n) for n in (1, 2, 3)])
    jobs = [turns.take(0.0) for _ in range(3)]
    turns.finish(jobs[1])
    assert turns.positions() == {}
    turns.finish(jobs[0])
    assert turns.positions() == {("order-placed", 0): 3}
    assert turns.positions() == {}
    turns.finish(jobs[2])
    assert turns.positions() == {("order-placed", 0): 4}


def test_an_offset_whose_commit_was_refused_is_committed_again(turns):
    turns.accept([message(number, offset=number) for number in range(2)])
    for _ in range(2):
        turns.finish(turns.take(0.0))
    assert turns.positions() == {("order-placed", 0): 2}
    nothing_done, revoked = ("order-placed", 1), ("order-cancelled", 0)
    turns.commit_again([("order-placed", 0), nothing_done, revoked])
    assert turns.positions() == {("order-placed", 0): 2}
    assert turns.positions() == {}


def test_a_partition_has_at_most_64_open_events_and_only_it_pauses(turns):
    turns.accept([message(n, key="stuck", offset=n) for n in range(MAX_OPEN + MAX_WAITING)])
    turns.accept([message(10_000, "order-confirmed")])
    stuck = turns.take(0.0)
    assert [take(turns), take(turns)] == [10_000, None]
    assert turns.to_pause() == [("order-placed", 0)]
    assert (turns.to_pause(), turns.to_resume()) == ([], [])
    for _ in range(MAX_OPEN + MAX_WAITING - MAX_WAITING // 4):
        turns.finish(stuck)
        stuck = turns.take(0.0)
    assert turns.to_resume() == [("order-placed", 0)]


def test_after_the_partitions_are_lost_a_busy_key_stays_busy_until_its_event_ends(turns):
    turns.accept([message(1, key="a"), message(2)])
    first = turns.take(0.0)
    turns.drop()
    turns.assign(PLACES)
    turns.accept([message(1, key="a"), message(2)])
    assert [take(turns), take(turns)] == [2, None]
    turns.finish(first)
    assert take(turns) == 1
    assert turns.positions() == {}


def test_events_of_partitions_that_this_member_does_not_have_are_ignored(turns):
    turns.accept([message(1, partition=7)])
    assert take(turns) is None


def test_a_malformed_event_has_a_turn(turns):
    turns.accept([Message(topic="order-placed", partition=0, offset=0, key=b"a", value=b"{", headers=[])])
    job = turns.take(0.0)
    assert (job.event, "ce_id" in job.problem) == (None, True)
