"""The horizon: for which events absence from the ledger proves that no mail was sent."""

import time

import pytest
from ulid import ULID

from notification_service.domain.ledger_origin import LedgerOrigin
from notification_service.store.ledger_reader import LedgerReader
from notification_service.store.mail_ledger import MailLedger
from notification_service.store.sent_ids import HOUR_MS

MINUTE = 60_000
DAY = 24 * 60 * MINUTE


class Offsets:
    """Kafka's answers: the id of the topic, and the time of the first record of each partition."""

    def __init__(self, topic_id, *times):
        self.id, self.times = topic_id, times

    def topic_id(self, _topic):
        return self.id

    def first_since(self, _since, topic):
        return {(topic, number): (0, at) for number, at in enumerate(self.times)}


class Origins:
    def __init__(self, stored=None):
        self.stored = stored

    def origin(self):
        return self.stored

    def put_origin(self, origin):
        self.stored = origin


def now():
    return time.time_ns() // 1_000_000


def make(offsets, origins):
    reader = LedgerReader("nowhere", MailLedger("nowhere"), origins)
    reader._offsets, reader._complete = offsets, True
    reader._begun = reader._find_begin()
    return reader


def proves(reader, at):
    return reader.proves_absence(str(ULID.from_timestamp(at / 1000)))


def test_a_ledger_without_an_origin_begins_with_its_oldest_record():
    begun, origins = now() - DAY, Origins()
    reader = make(Offsets("a", begun + DAY, begun, -1), origins)
    assert origins.stored == LedgerOrigin(topic_id="a", begun=begun)
    assert proves(reader, begun - 9 * MINUTE)
    assert not proves(reader, begun - 11 * MINUTE)


@pytest.mark.parametrize("stored", [None, LedgerOrigin(topic_id="a", begun=1_800_000_000_000 - 9 * DAY)])
def test_a_ledger_that_was_lost_begins_now_when_it_is_empty(stored):
    reader = make(Offsets("b", -1, -1, -1), origins := Origins(stored))
    assert abs(origins.stored.begun - now()) < MINUTE
    assert proves(reader, now() - 8 * MINUTE)
    assert not proves(reader, now() - 12 * MINUTE)


def test_a_ledger_with_its_own_origin_begins_there_whatever_its_records_are():
    begun = now() - 9 * DAY
    reader = make(Offsets("a", now()), Origins(LedgerOrigin(topic_id="a", begun=begun)))
    assert proves(reader, begun)


def test_records_that_kafka_deleted_after_their_retention_prove_nothing():
    reader = make(Offsets("a", -1), Origins(LedgerOrigin(topic_id="a", begun=now() - 90 * DAY)))
    assert proves(reader, now() - 29 * DAY)
    assert not proves(reader, now() - 31 * DAY)


def test_until_the_rest_is_read_only_the_recent_records_prove_something():
    reader = make(Offsets("a", -1), Origins(LedgerOrigin(topic_id="a", begun=now() - 9 * DAY)))
    reader._complete, reader._read_from = False, now() - 30 * MINUTE
    assert proves(reader, now() - 19 * MINUTE)
    assert not proves(reader, now() - 21 * MINUTE)


def test_hours_that_were_dropped_from_memory_prove_nothing():
    reader = make(Offsets("a", -1), Origins(LedgerOrigin(topic_id="a", begun=now() - 9 * DAY)))
    dropped = now() // HOUR_MS * HOUR_MS - DAY
    reader._ledger.ids.kept_from = dropped
    assert proves(reader, dropped + 11 * MINUTE)
    assert not proves(reader, dropped + 9 * MINUTE)
