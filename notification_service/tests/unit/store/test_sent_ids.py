"""The ids of sent mails in memory: a set that forgets the oldest hours."""

import random
import sys
from itertools import pairwise

import pytest
from ulid import ULID

from notification_service.store.sent_ids import HOUR_MS, MAX_IDS, SentIds, time_of

BEGIN = 1_800_000_000_000 // HOUR_MS * HOUR_MS


def new_id(at: int) -> str:
    return str(ULID.from_timestamp(at / 1000))


def bytes_of(ids: SentIds) -> int:
    """What the sets and arrays take."""
    hours = ids._hours.values()
    sets = sum(sys.getsizeof(hour.young) + 36 * len(hour.young) for hour in hours)
    return sets + sum(sys.getsizeof(run) for hour in hours for run in hour.runs)


def test_an_id_is_found_after_it_was_added_and_another_one_is_not():
    ids, known, other = SentIds(), new_id(BEGIN), new_id(BEGIN)
    ids.add(known)
    ids.add(known)
    assert (known in ids, other in ids, len(ids), time_of(known)) == (True, False, 1, BEGIN)


@pytest.mark.parametrize("text", ["", "a key", "01K0000000000000000000000é"])
def test_a_key_that_is_no_ulid_is_refused(text):
    with pytest.raises(ValueError):
        SentIds().add(text)


def test_ids_are_found_in_the_sorted_arrays_too():
    ids = SentIds(max_open=10)
    known = [new_id(BEGIN + number * 1000) for number in range(500)]
    for event_id in known:
        ids.add(event_id)
        ids.add(event_id)
    assert len(ids) == 500
    assert all(event_id in ids for event_id in known)
    assert not any(new_id(BEGIN + number * 1000) in ids for number in range(500))
    assert max(len(hour.runs) for hour in ids._hours.values()) <= 9
    for run in (run for hour in ids._hours.values() for run in hour.runs):
        assert all(one < two for one, two in pairwise(run))


def test_above_the_limit_the_oldest_hours_are_dropped_and_ids_of_them_stay_out():
    ids, known = SentIds(100, max_open=20), []
    for number in range(300):
        known.append(new_id(BEGIN + number * HOUR_MS // 10))
        ids.add(known[-1])
    assert len(ids) <= 100
    assert ids.kept_from == BEGIN + 20 * HOUR_MS
    assert [event_id in ids for event_id in known] == [False] * 200 + [True] * 100
    ids.add(known[0])
    assert known[0] not in ids


def test_ten_million_ids_take_at_most_128_mib():
    """Measured with 400,000 and a hundredth of the open ids: both bounds scale."""
    share, draw = 25, random.Random(1).getrandbits
    ids = SentIds(MAX_IDS // share, max_open=200_000 // share)
    for number in range(MAX_IDS // share + 20_000):
        ids.insert(BEGIN + number * HOUR_MS // 4000, draw(64))
    assert MAX_IDS // share - 4000 <= len(ids) <= MAX_IDS // share
    assert bytes_of(ids) * share <= 128 * 2**20
