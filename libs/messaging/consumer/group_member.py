"""A member of a consumer group: it polls, hands the events to a batch thread, and commits their offsets when they are done.

One thread polls all the time, so the group never revokes its partitions for silence. Another one handles the events. An offset is
committed when all events before it are done.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from libs.messaging import event_metrics
from libs.messaging.consumer.batch_thread import BatchThread
from libs.messaging.consumer.membership import Membership
from libs.messaging.consumer.queued_event import QueuedEvent
from libs.messaging.event_metrics import LagClock, unfetched
from libs.messaging.kafka import clients
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.producer import Producer
from libs.runtime.logs import get_logger
from libs.values.times import rfc3339

log = get_logger(__name__)

POLL_SECONDS = 0.5
QUICK_POLL_SECONDS = 0.02  # while events are in flight: their offsets have to be stored soon
FETCH_EVENTS = 100  # at most, in one turn
UNPOLLED_SECONDS = 10.0  # at the limit the consumer waits this long before it pauses: pause() discards fetched events
FINISH_SECONDS = 20.0
STALLED_SECONDS = 60.0
# The detail of librdkafka's error for a group that has committed nothing there, which is no loss.
NOTHING_COMMITTED = "no previously committed offset available"

Place = tuple[str, int]
"""Topic and partition."""


class GroupMember:
    """The loop of a consumer. A subclass says how many events may be in flight. Run it in its own thread."""

    def __init__(
        self, brokers: Brokers, group: str, topics: Sequence[str], handling: BatchThread, *, commit_seconds: float
    ) -> None:
        """`group` is also the task's name."""
        self.name, self._topics, self._handling = group, list(topics), handling
        self._producer = Producer(brokers)
        self._jobs: dict[Place, deque[QueuedEvent]] = {}
        self._in_flight = 0
        self._commit_seconds, self._committed_at, self._uncommitted = commit_seconds, 0.0, False
        settings = {"auto.offset.reset": "error", "on_commit": self._on_commit}
        self._consumer = clients.make_consumer(brokers, group, stats_cb=self._on_statistics, **settings)
        # librdkafka raises when it is asked for its partitions while it closes, so this object keeps them.
        self._assigned: set[Place] = set()
        self._paused, self._polled_at, self.heartbeat = False, time.monotonic(), time.monotonic()
        self._membership = Membership(partial(clients.broker_answers, brokers))
        self._lag, self._broker, self._handled, self._dead_letters = 0, False, 0, 0
        self._last_event_at: str | None = None
        self._lag_clock = LagClock()
        event_metrics.declare(topics)
        self._out_of_range, self._moved_at = 0, dict[Place, float]()

    def status(self) -> dict[str, object]:
        """What /health and /metrics show: partitions, lag, broker, counts, the event that is retried, time of the last event."""
        return {
            "lag": self._lag,
            "lagSeconds": self._lag_clock.seconds(self._oldest()),
            "broker": self._broker,
            "handled": self._handled,
            "deadLetters": self._dead_letters,
            "lastEventAt": self._last_event_at,
            "assigned": len(self._assigned),
            "retrying": next(iter(list(self._handling.retrying.values())), None),
            "stalled": self._stalled(),
            "offsetsOutOfRange": self._out_of_range,
        }

    def _oldest(self) -> int | None:
        """The time of the oldest fetched event that is not done, in ms since the epoch."""
        first = [next((job for job in list(jobs) if not job.done), None) for jobs in list(self._jobs.values())]
        return min((at for job in first if job and (at := job.timestamp) is not None), default=None)

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set. Then let the active handlers end, commit, and leave the group."""
        callbacks = {"on_assign": self._on_assign, "on_revoke": self._on_revoke, "on_lost": self._on_lost}
        self._handling.start()
        self._consumer.subscribe(self._topics, **callbacks)
        try:
            while not stop.is_set():
                self._step()
        finally:
            self._release(list(self._jobs))
            self._handling.end()
            self._consumer.close()
            self._assigned.clear()
            self._producer.close()

    def _room(self) -> int:
        """How many more events may be in flight; none at 0 or below."""
        raise NotImplementedError

    def _step(self) -> None:
        now = time.monotonic()
        self.heartbeat = min([now, *list(self._handling.busy_since.values())])
        if not self._handling.alive():
            raise RuntimeError("a handler thread died")
        self._membership.check()
        self._collect()
        room = self._room()
        if room <= 0 and not self._handling.retrying and now - self._polled_at < UNPOLLED_SECONDS:
            self._await_progress()
            return
        self._pause(room <= 0)
        self._polled_at = now
        for message in self._fetch(QUICK_POLL_SECONDS if self._in_flight and room > 0 else POLL_SECONDS, room):
            if not (error := message.error()):
                self._accept(message)
            elif error.fatal():  # this client will never work again
                raise KafkaException(error)
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                self._begin_partition(str(message.topic()), message.partition() or 0, error)
            else:
                log.warning("Kafka client error", error=error.name(), detail=error.str())

    def _fetch(self, seconds: float, room: int) -> list[Message]:
        """What has come: waits so long for the first message only."""
        first = self._consumer.poll(seconds)
        if first is None:
            return []
        more = min(room, FETCH_EVENTS) - 1
        return [first, *(self._consumer.consume(more, 0) if more > 0 else ())]

    def _begin_partition(self, topic: str, partition: int, error: KafkaError) -> None:
        """Continue at the first event of a partition that has none at the group's offset, and count the offset that is lost."""
        if NOTHING_COMMITTED not in error.str():
            self._out_of_range += 1
            log.error(
                "offset out of range: events were lost, or the topic is a new one",
                group=self.name,
                topic=topic,
                partition=partition,
                detail=error.str(),
            )
        if (topic, partition) in self._assigned:  # librdkafka does not seek in a partition that it does not fetch
            self._consumer.incremental_unassign([TopicPartition(topic, partition)])
            self._consumer.incremental_assign([beginning := TopicPartition(topic, partition, OFFSET_BEGINNING)])
            (self._consumer.pause if self._paused else self._consumer.resume)([beginning])

    def _stalled(self) -> list[str]:
        """The partitions, as topic/partition, whose first event in flight has not been done for STALLED_SECONDS."""
        oldest = time.monotonic() - STALLED_SECONDS
        waiting = [place for place, jobs in list(self._jobs.items()) if jobs and self._moved_at.get(place, 0) < oldest]
        return [f"{topic}/{partition}" for topic, partition in waiting]

    def _accept(self, message: Message) -> None:
        place = str(message.topic()), message.partition() or 0
        if place not in self._assigned:  # it was revoked while this turn's messages came: its next owner gets the event
            return
        job = QueuedEvent.of(message)
        jobs = self._jobs.setdefault(place, deque())
        if not jobs:
            self._moved_at[place] = time.monotonic()
        jobs.append(job)
        self._in_flight += 1
        self._handling.put(job)

    def _collect(self) -> None:
        """Store how far each partition is done without an open event before it. Commit when it is time."""
        for place, jobs in self._jobs.items():
            last: QueuedEvent | None = None
            while jobs and jobs[0].done:
                last = jobs.popleft()
                self._in_flight -= 1
                self._handled += 1
                self._dead_letters += bool(last.outcome)
            if last is not None:
                self._last_event_at, self._moved_at[place] = rfc3339(datetime.now(UTC)), time.monotonic()
                self._store(place, last.offset)
        if self._uncommitted and time.monotonic() - self._committed_at >= self._commit_seconds:
            self._commit(wait=False)

    def _store(self, place: Place, offset: int) -> None:
        self._uncommitted = True
        try:
            self._consumer.store_offsets(offsets=[TopicPartition(*place, offset + 1)])
        except KafkaException as error:  # the partition was revoked: its next owner handles the event again
            log.warning("offset not stored", error=error.args[0].name())

    def _commit(self, *, wait: bool) -> None:
        self._uncommitted, self._committed_at = False, time.monotonic()
        try:
            self._consumer.commit(asynchronous=not wait)  # type: ignore[call-overload] # has an overload for each value
        except KafkaException as error:
            log.warning("offsets not committed", error=error.args[0].name())

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """The answer to a commit that was not waited for. A refused one is repeated: the next event may come in hours."""
        if refused := clients.commit_error(error, partitions):
            log.warning("offsets not committed", error=refused.name())
            self._uncommitted = True

    def _pause(self, paused: bool) -> None:
        if paused != self._paused:
            self._paused = paused
            (self._consumer.pause if paused else self._consumer.resume)([TopicPartition(*p) for p in self._assigned])

    def _await_progress(self) -> None:
        self._handling.progress.wait(POLL_SECONDS)
        self._handling.progress.clear()

    def _release(self, partitions: list[Place], *, commit: bool = True) -> None:
        """Drop the queued events of these partitions, wait for the active ones, commit those that are done."""
        jobs = [job for partition in partitions for job in self._jobs.get(partition, ())]
        self._handling.drop(jobs)
        end = time.monotonic() + FINISH_SECONDS
        while any(job.active for job in jobs) and time.monotonic() < end:
            self._await_progress()
        self._collect()
        if commit and self._uncommitted:
            self._commit(wait=True)
        for partition in partitions:
            self._in_flight -= len(self._jobs.pop(partition, ()))

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign(partitions)
        # Always one of the two: librdkafka keeps the pause of a partition that was revoked while paused.
        (consumer.pause if self._paused else consumer.resume)(partitions)
        self._assigned |= {(p.topic, p.partition) for p in partitions}
        log.info("partitions assigned", group=self.name, new=len(partitions), total=len(self._assigned))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition], *, commit: bool = True) -> None:
        revoked = [(p.topic, p.partition) for p in partitions]
        self._assigned -= set(revoked)
        self._release(revoked, commit=commit)
        consumer.incremental_unassign(partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._on_revoke(consumer, partitions, commit=False)

    def _on_statistics(self, text: str) -> None:
        statistics = orjson.loads(text)
        self._membership.read(statistics)
        parts = [p for t in statistics["topics"].values() for p in t["partitions"].values() if p["desired"]]
        self._lag = sum(max(0, p["consumer_lag"]) for p in parts)
        self._lag_clock.note(sum(map(unfetched, parts)))
        self._broker = any(b["state"] == "UP" for b in statistics["brokers"].values())
