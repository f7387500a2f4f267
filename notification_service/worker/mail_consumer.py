"""The consumer of the events that ask for mails. One thread polls all the time; the sender threads handle the events.

It is not the consumer of the other services (`libs.messaging.consumer`): mails have turns over all partitions, a fence before the
final dot, and no retry that holds other mails. The group assigns by `range`, so one member has an order's events of all topics.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from libs.messaging import event_metrics
from libs.messaging.consumer.membership import Membership
from libs.messaging.event_metrics import LagClock, unfetched
from libs.messaging.kafka import clients
from libs.messaging.kafka.brokers import Brokers
from libs.runtime.logs import get_logger
from libs.values.times import rfc3339
from notification_service.events.topics import GROUP, MAIL_TOPICS
from notification_service.worker.fence import Fence, Place
from notification_service.worker.group_contact import HEARTBEAT_MS, STATISTICS_MS, GroupContact
from notification_service.worker.progress import Progress
from notification_service.worker.senders import Senders

log = get_logger(__name__)

POLL_SECONDS = 0.1
BATCH_SIZE = 500
COMMIT_SECONDS = 0.5
FIRST_EVENT_SECONDS = 1.0  # after an assignment: until then the oldest event is not known
OUTCOME_SECONDS = 15.0  # 3 s for the answer to a final dot, and 10 s for its record
SETTINGS = {
    "partition.assignment.strategy": "range",
    "statistics.interval.ms": STATISTICS_MS,
    "heartbeat.interval.ms": HEARTBEAT_MS,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",  # so that an offset out of range is counted and shown
    "fetch.queue.backoff.ms": 10,
    "queued.max.messages.kbytes": 1024,
}


class MailConsumer:
    """A member of the group. Run it in its own thread. `heartbeat` is time.monotonic() of its last turn."""

    name = GROUP

    def __init__(
        self,
        brokers: Brokers,
        *,
        senders: Senders,
        fence: Fence,
        contact: GroupContact,
        prepare: Callable[[], Callable[[], bool]],
    ) -> None:
        """`prepare` is called after each assignment. Its result is called until it returns true: what mails need is read then."""
        self._senders, self._fence, self._contact, self._new_preparation = senders, fence, contact, prepare
        callbacks = {"stats_cb": self._on_statistics, "on_commit": self._on_commit}
        self._consumer = clients.make_consumer(brokers, GROUP, **callbacks, **SETTINGS)
        self._progress, self._committed_at, self._offset_resets = Progress(), 0.0, 0
        self._assigned, self._unseen = frozenset[Place](), set[Place]()
        self._starts = dict[Place, int]()
        self._assigned_at, self._generation = time.monotonic(), 0
        self._prepared, self._released_at = False, -math.inf
        self._broker, self._membership = False, Membership(partial(clients.broker_answers, brokers))
        self._lag_clock = LagClock()
        event_metrics.declare(MAIL_TOPICS)
        self._last_event_at: str | None = None
        self.heartbeat = time.monotonic()

    def status(self) -> dict[str, object]:
        """What /health and /metrics show: partitions, lag, broker, counts, what is retried, time of the last event."""
        senders = self._senders.status()
        return {
            "lag": self._progress.lag,
            "lagSeconds": self._lag_clock.seconds(self._senders.oldest()),
            "stalled": ", ".join(self._progress.stalled()),
            "broker": self._broker,
            "handled": self._senders.handled,
            "deadLetters": self._senders.dead,
            "lastEventAt": self._last_event_at,
            "assigned": len(self._assigned),
            "prepared": self._prepared,
            "offsetResets": self._offset_resets,
            **senders,
        }

    @property
    def idle_seconds(self) -> float:
        """For how long this member has had no partition, or not read what mails need. Infinite when it never had both."""
        if self._assigned and self._prepared:
            return 0.0
        return time.monotonic() - self._released_at

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set. Then let the mails past the fence end, commit, and leave the group."""
        callbacks = {"on_assign": self._on_assign, "on_revoke": self._on_revoke, "on_lost": self._on_lost}
        self._senders.start()
        self._consumer.subscribe(list(MAIL_TOPICS), **callbacks)
        try:
            while not stop.is_set():
                self._step()
        finally:
            self._release(commit=True)
            self._senders.stop()
            self._consumer.close()

    def _step(self) -> None:
        self._beat()
        if not self._senders.alive():
            raise RuntimeError("a sender thread died")
        self._membership.check()
        self._move()
        first = self._consumer.poll(POLL_SECONDS)
        if first is not None:
            messages = [first, *self._consumer.consume(BATCH_SIZE, 0)]
            self._senders.accept([message for message in messages if not self._is_report(message)])
        self._open()

    def _beat(self) -> None:
        self.heartbeat = time.monotonic()

    def _move(self) -> None:
        """Commit when it is time, and pause and resume partitions."""
        with self._senders.changed:
            pause, resume = self._senders.turns.to_pause(), self._senders.turns.to_resume()
        if pause:
            self._consumer.pause([TopicPartition(*place) for place in pause])
        if resume:
            self._consumer.resume([TopicPartition(*place) for place in resume])
        if time.monotonic() - self._committed_at >= COMMIT_SECONDS:
            self._commit(wait=False)

    def _commit(self, *, wait: bool) -> None:
        self._committed_at = time.monotonic()
        with self._senders.changed:
            positions = self._senders.turns.positions()
        self._progress.move(positions)
        if not positions:
            return
        self._last_event_at = rfc3339(datetime.now(UTC))
        offsets = [TopicPartition(*place, offset) for place, offset in positions.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=not wait)  # type: ignore[call-overload]
        except KafkaException as error:
            log.warning("offsets not committed", error=error.args[0].name())

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """The answer to a commit that was not waited for. A refused one is repeated: the next event may come in hours."""
        if refused := clients.commit_error(error, partitions):
            log.warning("offsets not committed", error=refused.name())
            with self._senders.changed:
                self._senders.turns.commit_again((p.topic, p.partition) for p in partitions)

    def _open(self) -> None:
        """Let the senders begin, once all is read that they need and each partition has shown an event or its end."""
        waited = time.monotonic() - self._assigned_at
        if self._prepared and not self._senders.is_open and (not self._unseen or waited >= FIRST_EVENT_SECONDS):
            with self._senders.changed:
                self._senders.is_open = True
                self._senders.changed.notify_all()

    def _is_report(self, message: Message) -> bool:
        """True for a message of the client itself: the end of a partition, or an error."""
        place = str(message.topic()), message.partition() or 0
        self._unseen.discard(place)
        if (error := message.error()) is None:
            return False
        if error.code() == KafkaError._AUTO_OFFSET_RESET:
            self._reset(place)
        elif error.fatal():  # this client will never work again
            raise KafkaException(error)
        elif error.code() != KafkaError._PARTITION_EOF:
            log.warning("Kafka client error", error=error.name(), detail=error.str())
        return True

    def _reset(self, place: Place) -> None:
        """Read a partition from its start: its offset is out of range, because its events were deleted or the topic is new."""
        self._offset_resets += 1
        log.error("offset out of range, partition is read from its start", topic=place[0], partition=place[1])
        self._starts[place] = OFFSET_BEGINNING
        others = [TopicPartition(*other) for other in self._starts if other != place]
        read = {(p.topic, p.partition): p.offset for p in self._consumer.position(others) if p.offset >= 0}
        # a partition in this state cannot be moved alone: "seek" is refused
        self._consumer.assign([TopicPartition(*each, read.get(each, start)) for each, start in self._starts.items()])

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        places = [(p.topic, p.partition) for p in partitions]
        with self._senders.changed:
            self._senders.turns.assign(places)
        self._fence.give(places)
        starts = self._with_offsets(consumer, partitions)
        self._starts = {(p.topic, p.partition): p.offset for p in starts}
        consumer.assign(starts)
        consumer.resume(partitions)  # librdkafka keeps the pause of a partition that was revoked while paused
        self._assigned, self._unseen, self._assigned_at = frozenset(places), set(places), time.monotonic()
        self._generation += 1
        threading.Thread(target=self._prepare, args=[self._generation], name="prepare", daemon=True).start()
        log.info("partitions assigned", group=GROUP, total=len(places))

    def _with_offsets(self, consumer: Consumer, partitions: list[TopicPartition]) -> list[TopicPartition]:
        """The partitions with their committed offsets. One that never had any begins at its start."""
        try:
            found = consumer.committed(partitions, timeout=5.0)
        except KafkaException as error:  # then a partition without an offset counts as one whose offset is out of range
            log.warning("committed offsets not read", error=error.args[0].name())
            return partitions
        self._progress.begin({(p.topic, p.partition): p.offset for p in found})
        return [TopicPartition(p.topic, p.partition, p.offset if p.offset >= 0 else OFFSET_BEGINNING) for p in found]

    def _prepare(self, generation: int) -> None:
        is_prepared = self._new_preparation()
        while self._generation == generation and not is_prepared():
            time.sleep(POLL_SECONDS)
        if self._generation == generation:
            self._prepared = True

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition], *, commit: bool = True) -> None:
        self._release(commit=commit)
        consumer.unassign()
        log.info("partitions revoked", group=GROUP, total=len(partitions))

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._on_revoke(consumer, partitions, commit=False)

    def _release(self, *, commit: bool) -> None:
        """Begin no mail, wait for those past the fence, commit what is done, and drop the rest."""
        self._generation += 1
        if self._assigned and self._prepared:
            self._released_at = time.monotonic()
        self._prepared = False
        with self._senders.changed:
            self._senders.is_open = False
        self._fence.take_away()
        if not self._fence.await_outcomes(OUTCOME_SECONDS, self._beat):
            log.error("a mail past the fence has no outcome yet")
        if commit and self._assigned:
            self._commit(wait=True)
        with self._senders.changed:
            self._senders.drop()
        self._assigned = frozenset()

    def _on_statistics(self, text: str) -> None:
        statistics: Mapping[str, Any] = orjson.loads(text)
        self._contact.read(statistics)
        self._membership.read(statistics)
        self._broker = any(b["state"] == "UP" for b in statistics["brokers"].values())
        self._progress.read(statistics, self._assigned)
        parts = ((topic, p) for topic, each in statistics["topics"].items() for p in each["partitions"].values())
        self._lag_clock.note(sum(unfetched(p) for topic, p in parts if (topic, p["partition"]) in self._assigned))
