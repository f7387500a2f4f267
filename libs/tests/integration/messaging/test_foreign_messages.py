"""Messages that other programs write, as a real broker returns them: headers of any bytes, and no value."""

import ctypes
from glob import glob
from pathlib import Path

import confluent_kafka
import orjson

from libs.messaging import envelope
from libs.messaging.tombstones import compacted_topics
from libs.tests.integration.messaging.test_consumer import channel, wait_until

__all__ = ["channel"]  # the fixture


def headers_of(row):
    return [*orjson.loads(row.headers).items()]


class CClient:
    """A producer of librdkafka itself: the Python client has no header names that are not UTF-8."""

    TOPIC, VALUE, KEY, COPY, HEADERS, END = 1, 4, 5, (7, 2), 10, 0  # rd_kafka_vtype_t; MSGFLAGS with F_COPY

    def __init__(self, brokers):
        place = Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs" / "librdkafka*"
        self._library = library = ctypes.CDLL(glob(str(place))[0])
        for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_headers_new"):
            getattr(library, name).restype = ctypes.c_void_p
        self._error = ctypes.create_string_buffer(512)
        conf = ctypes.c_void_p(library.rd_kafka_conf_new())
        for name, text in ((b"bootstrap.servers", brokers.encode()), (b"log_level", b"0")):
            library.rd_kafka_conf_set(conf, name, text, self._error, ctypes.c_size_t(512))
        self._client = ctypes.c_void_p(library.rd_kafka_new(0, conf, self._error, ctypes.c_size_t(512)))

    def send(self, topic, value, key, headers):
        """Produce a message and wait for the broker."""
        made = ctypes.c_void_p(self._library.rd_kafka_headers_new(ctypes.c_size_t(len(headers))))
        for name, text in headers:
            sizes = (ctypes.c_ssize_t(len(name)), ctypes.c_ssize_t(len(text)))
            self._library.rd_kafka_header_add(made, name, sizes[0], text, sizes[1])
        sized = [(self.VALUE, value, ctypes.c_size_t(len(value))), (self.KEY, key, ctypes.c_size_t(len(key)))]
        rest = [part for parts in sized for part in parts]
        failed = self._library.rd_kafka_producev(
            self._client, self.TOPIC, topic.encode(), *rest, *self.COPY, self.HEADERS, made, self.END
        )
        assert not failed
        assert self._library.rd_kafka_flush(self._client, 10_000) == 0

    def close(self):
        self._library.rd_kafka_destroy(self._client)


def test_a_header_whose_name_is_not_text_is_left_out(channel, kafka):
    for _ in range(1000):  # a call that was made often takes another way through the interpreter
        envelope.headers_of(confluent_kafka.Message(topic="t", headers=[("a", b"b")]))
    seen, client = [], CClient(kafka)
    try:
        for n, (key, event) in enumerate([(b"a", True), (b"b", False)]):
            row = channel.row(n, key.decode())
            own = [(name.encode(), text.encode()) for name, text in headers_of(row) if event or name != "ce_id"]
            client.send(channel.topic, row.payload.encode(), key, [(b"\xff\xfe", b"x"), *own, (b"\xc3", b"y")])
    finally:
        client.close()
    with channel.consuming(lambda event: seen.append(event.data["n"])):
        (letter,) = channel.dead_letters(1)
        wait_until(lambda: seen == [0])
    assert letter.key() == b"b"
    assert {"ce_type", "x-reason"} <= {name for name, _ in letter.headers()}


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
    channel.send(0)
    channel.send_raw(None, b"a", [])
    channel.send(1)
    with channel.consuming(
        lambda event: seen.append(event.data["n"]), compacted=compacted_topics(settings)
    ) as consumer:
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
