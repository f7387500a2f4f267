"""What Kafka holds, read from the first offset on, and how far each group has come."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from libs.messaging.kafka.clients import make_producer

DEAD_LETTERS = re.compile(r"(?P<topic>[^.]+)\.(?P<group>[^.]+)\.dlq")
LEDGER_KEY = b"ledger"  # a record of mail-parked that is no mail
SECONDS = 10
NO_LEADER = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
Ends = Mapping[tuple[str, int], int]


@dataclass(frozen=True)
class Record:
    """A message as it lies in its topic."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]

    @property
    def subject(self) -> str:
        """The key as text: the aggregate's id."""
        return (self.key or b"").decode(errors="replace")

    @property
    def event_id(self) -> str:
        return self.headers.get("ce_id", b"").decode(errors="replace")

    @property
    def sequence(self) -> int:
        return int(self.headers.get("ce_sequence", b"0"))


class Topics:
    """A reader that belongs to no group."""

    def __init__(self, brokers: str) -> None:
        self._brokers = brokers

    @cached_property
    def _client(self) -> Consumer:
        return self._consumer("chaos-reader")

    @cached_property
    def _producer(self) -> Producer:
        return make_producer(self._brokers)

    def close(self) -> None:
        """Let go of the broker."""
        if "_client" in vars(self):
            self._client.close()

    def _consumer(self, group: str) -> Consumer:
        settings = {"bootstrap.servers": self._brokers, "group.id": group, "enable.auto.commit": False, "log_level": 0}
        return Consumer(settings | {"enable.partition.eof": True, "auto.offset.reset": "earliest"})

    def partitions(self, *topics: str) -> list[TopicPartition]:
        """Those of the named topics; of all when none is named."""
        found = self._client.list_topics(timeout=SECONDS).topics
        names = topics or [name for name in found if not name.startswith("__")]
        return [TopicPartition(name, number) for name in names if name in found for number in found[name].partitions]

    def ends(self, *topics: str) -> dict[tuple[str, int], int]:
        """The offset of the next message of each partition."""
        return {(p.topic, p.partition): self._end(p) for p in self.partitions(*topics)}

    def _end(self, place: TopicPartition) -> int:
        """The offset of the next message. A broker that was just started knows no leader of a partition for a moment."""
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                return int(self._client.get_watermark_offsets(place, timeout=SECONDS)[1])
            except KafkaException as error:
                if error.args[0].code() not in NO_LEADER or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)

    def read(self, *topics: str, since: Ends | None = None) -> list[Record]:
        """All messages of the topics, from the first offset or from `since` on, to the present end."""
        starts = since or {}
        reader, records = self._consumer("chaos-reader"), list[Record]()
        places = [
            TopicPartition(p.topic, p.partition, starts.get((p.topic, p.partition), 0))
            for p in self.partitions(*topics)
        ]
        reader.assign(places)
        open_ = {(place.topic, place.partition) for place in places}
        while open_:
            messages = reader.consume(500, timeout=0.2)
            for message in messages:
                error = message.error()
                if error is None:
                    records.append(_record(message))
                elif error.code() == KafkaError._PARTITION_EOF:
                    open_.discard((str(message.topic()), message.partition() or 0))
        reader.close()
        return records

    def groups(self) -> dict[str, list[str]]:
        """The topics of each group: every consumer has a dead-letter topic for each topic it reads."""
        groups: dict[str, list[str]] = {}
        for name in self._client.list_topics(timeout=SECONDS).topics:
            if match := DEAD_LETTERS.fullmatch(name):
                groups.setdefault(match["group"], []).append(match["topic"])
        return groups

    def lag(self) -> dict[str, int]:
        """The messages that each group has not committed yet."""
        ends, lags = self.ends(), dict[str, int]()
        for group, topics in self.groups().items():
            member = self._consumer(group)  # reads the group's offsets; never joins it
            places = member.committed([p for p in self.partitions(*topics)], timeout=SECONDS)
            lags[group] = sum(ends[p.topic, p.partition] - max(0, p.offset) for p in places)
            member.close()
        return lags

    def skip(self, group: str) -> None:
        """A group without members goes on behind the events that there are, as an operator moves it."""
        member = self._consumer(group)
        ends = self.ends(*self.groups()[group])
        member.commit(offsets=[TopicPartition(*place, end) for place, end in ends.items()], asynchronous=False)
        member.close()

    def parked(self) -> int:
        """How many mails wait for a later try."""
        newest = {record.key: record.value for record in self.read("mail-parked")}
        return sum(value is not None for key, value in newest.items() if key != LEDGER_KEY)

    def publish(self, records: Iterable[Record]) -> set[tuple[str, int, int]]:
        """Send messages, and return where they lie. The same again is what a relay's repeat looks like."""
        places = set[tuple[str, int, int]]()

        def delivered(error: KafkaError | None, message: Message) -> None:
            assert error is None, error
            places.add((str(message.topic()), message.partition() or 0, message.offset() or 0))

        headers: list[tuple[str, str | bytes | None]]
        for record in records:
            headers = list(record.headers.items())
            self._producer.produce(record.topic, record.value, record.key, headers=headers, on_delivery=delivered)
        assert self._producer.flush(SECONDS) == 0
        return places


def _record(message: Message) -> Record:
    pairs: Any = message.headers() or []  # the stubs allow a dict, which it never is
    headers = {name: value or b"" for name, value in pairs}
    place = str(message.topic()), message.partition() or 0, message.offset() or 0
    return Record(*place, message.timestamp()[1], message.key(), message.value(), headers)
