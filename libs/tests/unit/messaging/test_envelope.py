"""The event envelope, on its way out and in."""

from datetime import UTC, datetime
from typing import Annotated, ClassVar

import orjson
import pytest
from pydantic import AwareDatetime, Field

from libs.messaging.envelope import ConsumedData, EventData, MalformedEvent, new_row, parse, repeatable_id
from libs.values.times import rfc3339


class Made(EventData):
    topic: ClassVar[str] = "thing-made"
    thing_id: str
    count: int


class Seen(ConsumedData):
    topic: ClassVar[str] = "thing-made"
    count: int


class Message:
    """What librdkafka hands over, with one thing or another changed."""

    def __init__(self, row, topic="thing-made", key=b"t1", value=None, headers=None, drop=()):
        sent = {name: text.encode() for name, text in orjson.loads(row.headers).items()} | (headers or {})
        self._headers = [(name, text) for name, text in sent.items() if name not in drop]
        self._topic, self._key, self._value = topic, key, row.payload.encode() if value is None else value

    def topic(self):
        return self._topic

    def key(self):
        return self._key

    def value(self):
        return self._value

    def partition(self):
        return 2

    def headers(self):
        return self._headers


@pytest.fixture
def row():
    return new_row(Made(thing_id="t1", count=3), source="things", aggregate_id="t1", sequence=7)


def test_a_row_carries_cloudevents_headers_and_camel_case_data(row):
    headers = orjson.loads(row.headers)
    assert orjson.loads(row.payload) == {"thingId": "t1", "count": 3}
    assert headers["ce_id"] == row.event_id
    assert (headers["ce_specversion"], headers["ce_type"], headers["ce_source"]) == ("1.0", "thing-made", "things")
    assert (headers["ce_subject"], headers["ce_sequence"]) == ("t1", "7")
    assert headers["content-type"] == "application/json"


def test_what_goes_out_comes_in(row):
    event = parse(Message(row))
    assert (event.id, event.type, event.subject, event.sequence) == (row.event_id, "thing-made", "t1", 7)
    assert event.partition == 2
    assert event.read(Seen).count == 3


def test_fields_that_the_reader_does_not_know_are_no_error(row):
    assert parse(Message(row, value=b'{"count": 1, "new": true}')).read(Seen).count == 1


DEEP = b'{"a":' * 10_000 + b"1" + b"}" * 10_000


@pytest.mark.parametrize(
    "change",
    [
        {"value": b"{not json"},
        {"value": b"\xff\xfe"},
        {"value": b""},
        {"value": b"[1]"},
        {"value": b"null"},
        {"value": b'{"count": NaN}'},
        {"value": DEEP},
        {"key": None},
        {"key": b""},
        {"key": b"\xff"},
        {"topic": "another-topic"},
        {"drop": ["ce_specversion"]},
        {"drop": ["ce_id"]},
        {"headers": {"ce_specversion": b"2.0"}},
        {"headers": {"ce_id": b"not-a-ulid"}},
        {"headers": {"ce_sequence": b"many"}},
        {"headers": {"ce_id": b"\xff"}},
    ],
)
def test_what_is_no_event_is_malformed(row, change):
    with pytest.raises(MalformedEvent):
        parse(Message(row, **change))


@pytest.mark.parametrize(
    "value", [b"{}", b'{"count": "3"}', b'{"count": 1.5}', b'{"count": null}', b'{"count": {"$gt": 1}}']
)
def test_wrong_data_is_malformed_and_the_reason_names_the_field_only(row, value):
    with pytest.raises(MalformedEvent, match=r"^data: count: \w+$"):
        parse(Message(row, value=value)).read(Seen)


def test_a_payload_over_64_kib_is_never_stored():
    with pytest.raises(ValueError, match="thing-made"):
        new_row(Made(thing_id="t" * 66_000, count=1), source="things", aggregate_id="t1", sequence=1)


def test_times_are_utc_with_milliseconds():
    assert rfc3339(datetime(2026, 1, 31, 12, 0, 0, 1500, UTC)) == "2026-01-31T12:00:00.001Z"
    assert rfc3339(datetime(2026, 1, 31, 12)) == "2026-01-31T12:00:00.000Z"  # noqa: DTZ001 -- as a driver may give it


class Timed(ConsumedData):
    topic: ClassVar[str] = "thing-made"
    at: Annotated[AwareDatetime, Field(strict=False)]


ODD_TIMES = [
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
    "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "yesterday", "1e400",
]  # fmt: skip


@pytest.mark.parametrize("text", ODD_TIMES)
def test_a_time_out_of_range_is_malformed_in_any_field(row, text):
    event = parse(Message(row, value=orjson.dumps({"at": text})))
    with pytest.raises(MalformedEvent):
        event.read(Timed)
    with pytest.raises(MalformedEvent):
        parse(Message(row, headers={"ce_time": text.encode()}))


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2026-01-01T12:00:00.5+14:00"])
def test_a_time_in_range_is_good(row, text):
    event = parse(Message(row, value=orjson.dumps({"at": text}), headers={"ce_time": text.encode()}))
    assert rfc3339(event.read(Timed).at)


def test_the_id_of_an_event_that_a_command_publishes_is_the_same_each_time():
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    one = repeatable_id(at, "thing-made", "t1")
    assert one == repeatable_id(at, "thing-made", "t1")
    assert len({one, repeatable_id(at, "thing-made", "t2"), repeatable_id(at, "thing-madet", "1")}) == 3
    row = new_row(Made(thing_id="t1", count=1), source="s", aggregate_id="t1", sequence=3, event_id=one)
    assert (row.event_id, parse(Message(row)).id) == (one, one)


def test_every_look_at_the_data_of_a_tombstone_is_malformed():
    class Tombstone(Message):
        def value(self):
            return None

    event = parse(Tombstone(new_row(Made(thing_id="t1", count=3), source="things", aggregate_id="t1", sequence=7)))
    assert (event.is_tombstone, event.subject, event.type) == (True, "t1", "thing-made")
    for look in (
        lambda: event.data["count"],
        lambda: list(event.data),
        lambda: len(event.data),
        lambda: event.read(Seen),
    ):
        with pytest.raises(MalformedEvent, match="no value"):
            look()
