"""Messages that other programs write, as a real broker returns them: headers of any bytes, and no value."""

import orjson

from libs.messaging.tombstones import ignore_tombstones
from libs.tests.integration.messaging.test_consumer import channel, wait_until

__all__ = ["channel"]  # the fixture


def headers_of(row):
    return [*orjson.loads(row.headers).items()]


def test_headers_that_are_not_needed_may_hold_any_bytes(channel):
    seen = []
    for n, more in enumerate([[("x-bin", b"\xff\xfe")], [("x-none", None)], [("", b"")], [("ce_subject", b"\xff")]]):
        row = channel.row(n)
        channel.send_raw(row.payload.encode(), b"a", headers_of(row) + more)
    with channel.consuming(lambda event: seen.append(event.data["n"])):
        wait_until(lambda: len(seen) == 4)
    assert seen == [0, 1, 2, 3]
    channel.dead_letters(0)


def test_a_tombstone_of_a_compacted_topic_is_passed_over(channel):
    seen = []
    settings = {channel.topic: {"config": {"cleanup.policy": "compact,delete"}}}
    handlers = ignore_tombstones({channel.topic: lambda event: seen.append(event.data["n"])}, settings)
    channel.send(0)
    channel.send_raw(None, b"a", [])
    channel.send(1)
    with channel.consuming(handlers[channel.topic]) as consumer:
        wait_until(lambda: consumer.status()["handled"] == 3)
    assert seen == [0, 1]
    channel.dead_letters(0)


def test_an_event_without_a_value_is_dead_lettered_as_it_came(channel):
    channel.send_raw(None, b"a", [("x-bin", b"\xff\xfe")])
    with channel.consuming(lambda event: event.read(type(event))):
        (letter,) = channel.dead_letters(1)
    headers = dict(letter.headers())
    assert (letter.value(), letter.key(), headers["x-bin"]) == (None, b"a", b"\xff\xfe")
    assert headers["x-reason"] == b"the event has no value"
