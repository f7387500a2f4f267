"""The outbox as the relay reads it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, close_old_connections, connection, transaction

from libs.values.times import now
from order_service.store.models import Outbox, OutboxDead, RelayLease
from order_service.store.outbox import outbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def add():
    def row(aggregate, sequence):
        event_id = f"{aggregate}-{sequence}"
        columns = {"topic": "order-placed", "payload": "{}", "headers": "{}", "created_at": now()}
        Outbox.objects.create(event_id=event_id, aggregate_id=aggregate, sequence=sequence, **columns)
        return event_id

    return row


def pending(limit=200):
    return [row.event_id for row in outbox.pending(limit)]


def test_rows_come_by_id_and_stay_until_they_are_deleted(add):
    rows = [add("a", 1), add("b", 1), add("a", 2)]
    assert pending() == pending() == rows
    outbox.delete(outbox.pending(2))
    assert pending() == rows[2:]


def test_one_owner_at_a_time_has_the_lease():
    store = outbox
    assert store.renew_lease("a" * 26, 10)
    assert not store.renew_lease("b" * 26, 10)
    assert store.renew_lease("a" * 26, 10)
    assert store.renew_lease("a" * 26, 0)
    assert store.renew_lease("b" * 26, 10)
    assert not store.renew_lease("a" * 26, 10)


def test_a_lease_that_ran_out_is_free(add):
    store = outbox
    assert store.renew_lease("a" * 26, 10)
    RelayLease.objects.update(expires_at="2026-01-01T00:00:00Z")
    assert store.renew_lease("b" * 26, 10)


def test_a_lease_from_before_the_clock_was_set_back_is_free():
    assert outbox.renew_lease("a" * 26, 3600)  # as a lease of 8 s is when the clock was set back by an hour
    assert outbox.renew_lease("b" * 26, 10)
    assert not outbox.renew_lease("a" * 26, 10)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("there", [False, True])
def test_of_eight_that_take_a_free_lease_at_once_one_has_it(there):
    store = outbox
    if there:
        store.renew_lease("z" * 26, 10)
        RelayLease.objects.update(expires_at="2026-01-01T00:00:00Z")
    gate = threading.Barrier(8)

    def take(letter):
        gate.wait()
        try:
            return store.renew_lease(letter * 26, 10)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(take, "abcdefgh")).count(True) == 1


def test_a_full_batch_brings_the_earlier_rows_of_its_aggregates(add):
    rows = [add("a", 2), add("b", 1), add("c", 1), add("a", 1), add("a", 3)]
    assert pending(2) == [*rows[:2], rows[3]]


def test_a_row_that_can_never_be_published_is_moved_once(add):
    add("a", 1)
    store = outbox
    [row] = store.pending(10)
    store.move_to_dead(row, "MSG_SIZE_TOO_LARGE")
    store.move_to_dead(row, "MSG_SIZE_TOO_LARGE")
    assert OutboxDead.objects.values_list("event_id", "reason").get() == ("a-1", "MSG_SIZE_TOO_LARGE")
    assert store.backlog() == (0, 0.0)


def test_a_row_that_is_refused_again_after_a_resend_is_moved_too(add):
    store = outbox
    for _ in range(2):
        add("a", 1)
        [row] = store.pending(10)
        store.move_to_dead(row, "TOPIC_EXCEPTION")
    assert OutboxDead.objects.count() == 1
    assert pending() == []


def move_to_dead(*event_ids):
    store = outbox
    for row in store.pending(200):
        if row.event_id in event_ids:
            store.move_to_dead(row, "TOPIC_EXCEPTION")


def test_dead_rows_are_requeued_unchanged_and_the_others_stay(add):
    rows = [add("a", 1), add("a", 2), add("b", 1)]
    before = outbox.pending(200)
    move_to_dead(*rows)
    assert outbox.requeue([*rows[:2], "unknown"]) == 2
    assert outbox.pending(200) == before[:2]
    assert OutboxDead.objects.get().event_id == rows[2]


def test_a_dead_row_that_waits_already_waits_once(add):
    row = add("a", 1)
    move_to_dead(row)
    add("a", 1)  # resent
    assert outbox.requeue([row]) == 1
    assert pending() == [row]
    assert outbox.requeue([row]) == 0
    assert not OutboxDead.objects.exists()


def test_a_dead_row_whose_place_another_event_has_stays_dead(add):
    row = add("a", 1)
    move_to_dead(row)
    other = add("a", 1).replace("a", "x")
    Outbox.objects.update(event_id=other)
    assert outbox.requeue([row]) == 0
    assert pending() == [other]
    assert OutboxDead.objects.get().event_id == row


@pytest.mark.django_db(transaction=True)
def test_of_eight_that_requeue_a_row_at_once_one_does(add):
    rows = [add("a", 1), add("a", 2)]
    move_to_dead(*rows)
    gate = threading.Barrier(8)

    def want(_):
        gate.wait()
        try:
            return outbox.requeue(rows)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(want, range(8))) == [0] * 7 + [2]
    assert pending() == rows


def test_the_backlog_is_the_number_of_rows_and_the_age_of_the_oldest(add):
    add("a", 1)
    add("a", 2)
    Outbox.objects.filter(sequence=1).update(created_at="2026-01-01T00:00:00Z")
    count, age = outbox.backlog()
    assert count == 2
    assert age > 3600


@pytest.mark.django_db(transaction=True)
def test_a_row_with_a_lower_id_that_commits_later_is_not_lost(add):
    inserted, commit = threading.Event(), threading.Event()

    def slow_writer():
        with transaction.atomic():
            add("slow", 1)
            inserted.set()
            commit.wait(10)
        connection.close()

    writer = threading.Thread(target=slow_writer)
    writer.start()
    inserted.wait(10)
    add("quick", 1)
    assert pending() == ["quick-1"]
    outbox.delete(outbox.pending(200))
    commit.set()
    writer.join()
    assert pending() == ["slow-1"]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_fails_once_and_is_replaced(add):
    rows = [add("a", 1)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        number = cursor.fetchone()[0]
    killer = connection.copy()
    with killer.cursor() as cursor:
        cursor.execute(f"KILL {number}")
    killer.close()
    with pytest.raises(OperationalError):
        pending()
    assert pending() == rows
    close_old_connections()
