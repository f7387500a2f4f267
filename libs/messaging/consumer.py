"""The consumer loop: it stores an event's effect first and commits its offset afterwards. No event ends the loop.

One thread polls all the time, so the group never revokes its partitions for silence. Other threads handle the events
(`libs.messaging.handler_pool`). An offset is committed when all events before it are done.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import orjson
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from libs.messaging import clients, event_metrics
from libs.messaging.brokers import Brokers
from libs.messaging.dead_letters import KeptFields, write_dead_letter
from libs.messaging.event_metrics import LagClock
from libs.messaging.handler_pool import ErrorTypes, Handler, HandlerPool, Job
from libs.messaging.producer import Producer
from libs.runtime.logs import get_logger
from libs.values.times import rfc3339

log = get_logger(__name__)

POLL_SECONDS = 0.5
QUICK_POLL_SECONDS = 0.02  # while events are in flight: their offsets have to be stored soon
MAX_IN_FLIGHT = 32  # events per handler thread
UNPOLLED_SECONDS = 10.0  # at the limit the consumer waits this long before it pauses: pause() discards fetched events
FINISH_SECONDS = 20.0


class EventConsumer:
    """One group member with one handler per topic. Run it in its own thread."""

    def __init__(
        self,
        brokers: Brokers,
        group: str,
        handlers: Mapping[str, Handler],
        *,
        unavailable: ErrorTypes = (),
        threads: int = 1,
        commit_seconds: float = 0.5,
        on_assigned: Callable[[set[int]], None] = lambda _: None,
        on_revoked: Callable[[], None] = lambda: None,
        secret: Mapping[str, KeptFields] = MappingProxyType({}),
    ) -> None:
        """`group` is also the task's name. `handlers`: the handler of each topic.
        `unavailable`: errors of a handler that mean ServerUnavailable.
        `threads`: the number of handler threads. One thread handles all events of a key.
        `on_assigned` receives the numbers of new partitions before their first event is handled.
        `on_revoked` is called when partitions are revoked, before another member gets them. `owns` is false for them by then.
        `secret`: topics with secret data, and the fields of it that a dead letter keeps."""
        self._secret = secret
        self.name, self._handlers, self._on_assigned, self._on_revoked = group, handlers, on_assigned, on_revoked
        self._producer = Producer(brokers)
        self._pool = HandlerPool(
            threads, handlers.__getitem__, self._dead_letter, (KafkaException, *unavailable), group=group
        )
        self._max_in_flight, self._in_flight = threads * MAX_IN_FLIGHT, 0
        self._jobs: dict[tuple[str, int], deque[Job]] = {}
        self._commit_seconds, self._committed_at, self._uncommitted = commit_seconds, 0.0, False
        self._consumer = clients.make_consumer(brokers, group, stats_cb=self._on_statistics)
        # librdkafka raises when it is asked for its partitions while it closes, so this object keeps them.
        self._assigned: set[tuple[str, int]] = set()
        self._paused, self._polled_at, self.heartbeat = False, time.monotonic(), time.monotonic()
        self._lag, self._broker, self._handled, self._dead_letters = 0, False, 0, 0
        self._lag_clock = LagClock()
        event_metrics.declare(handlers)
        self._last_event_at: str | None = None

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
            "retrying": next(iter(list(self._pool.retrying.values())), None),
        }

    def _oldest(self) -> int | None:
        """The time of the oldest fetched event that is not done, in ms since the epoch."""
        waiting = [job for jobs in list(self._jobs.values()) for job in list(jobs) if not job.done]
        return min((job.message.timestamp()[1] for job in waiting), default=None)

    def owns(self, topic: str, partition: int) -> bool:
        """True while this member has the partition."""
        return (topic, partition) in self._assigned

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set. Then let the active handlers end, commit, and leave the group."""
        callbacks = {"on_assign": self._on_assign, "on_revoke": self._on_revoke, "on_lost": self._on_lost}
        self._pool.start()
        self._consumer.subscribe(list(self._handlers), **callbacks)
        try:
            while not stop.is_set():
                self._step()
        finally:
            self._release(list(self._jobs))
            self._pool.end()
            self._consumer.close()
            self._assigned.clear()
            self._producer.close()

    def _step(self) -> None:
        now = time.monotonic()
        self.heartbeat = min([now, *list(self._pool.busy_since.values())])
        if not self._pool.alive():
            raise RuntimeError("a handler thread died")
        self._collect()
        full = self._in_flight >= self._max_in_flight
        if full and not self._pool.retrying and now - self._polled_at < UNPOLLED_SECONDS:
            self._await_progress()
            return
        self._pause(full)
        self._polled_at = now
        message = self._consumer.poll(QUICK_POLL_SECONDS if self._in_flight and not full else POLL_SECONDS)
        if message is None:
            return
        if not (error := message.error()):
            self._accept(message)
        elif error.fatal():  # this client will never work again
            raise KafkaException(error)
        else:
            log.warning("Kafka client error", error=error.name(), detail=error.str())

    def _accept(self, message: Message) -> None:
        job = Job(message)
        self._jobs.setdefault((str(message.topic()), message.partition() or 0), deque()).append(job)
        self._in_flight += 1
        self._pool.put(job)

    def _collect(self) -> None:
        """Store the offset of each event that is done and has no open event before it. Commit when it is time."""
        for jobs in self._jobs.values():
            while jobs and jobs[0].done:
                job = jobs.popleft()
                self._in_flight -= 1
                self._handled += 1
                self._dead_letters += bool(job.outcome)
                self._last_event_at = rfc3339(datetime.now(UTC))
                self._store(job.message)
        if self._uncommitted and time.monotonic() - self._committed_at >= self._commit_seconds:
            self._commit(wait=False)

    def _store(self, message: Message) -> None:
        self._uncommitted = True
        try:
            self._consumer.store_offsets(message=message)
        except KafkaException as error:  # the partition was revoked: its next owner handles the event again
            log.warning("offset not stored", error=error.args[0].name())

    def _commit(self, *, wait: bool) -> None:
        self._uncommitted, self._committed_at = False, time.monotonic()
        try:
            self._consumer.commit(asynchronous=not wait)  # type: ignore[call-overload] # has an overload for each value
        except KafkaException as error:
            log.warning("offsets not committed", error=error.args[0].name())

    def _pause(self, paused: bool) -> None:
        if paused != self._paused:
            self._paused = paused
            (self._consumer.pause if paused else self._consumer.resume)([TopicPartition(*p) for p in self._assigned])

    def _await_progress(self) -> None:
        self._pool.progress.wait(POLL_SECONDS)
        self._pool.progress.clear()

    def _release(self, partitions: list[tuple[str, int]], *, commit: bool = True) -> None:
        """Drop the queued events of these partitions, wait for the active ones, commit those that are done."""
        jobs = [job for partition in partitions for job in self._jobs.get(partition, ())]
        for job in jobs:
            job.dropped.set()
        end = time.monotonic() + FINISH_SECONDS
        while any(job.active for job in jobs) and time.monotonic() < end:
            self._await_progress()
        self._collect()
        if commit and self._uncommitted:
            self._commit(wait=True)
        for partition in partitions:
            self._in_flight -= len(self._jobs.pop(partition, ()))

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._on_assigned({p.partition for p in partitions})
        consumer.incremental_assign(partitions)
        # Always one of the two: librdkafka keeps the pause of a partition that was revoked while paused.
        (consumer.pause if self._paused else consumer.resume)(partitions)
        self._assigned |= {(p.topic, p.partition) for p in partitions}
        log.info("partitions assigned", group=self.name, new=len(partitions), total=len(self._assigned))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition], *, commit: bool = True) -> None:
        revoked = [(p.topic, p.partition) for p in partitions]
        self._assigned -= set(revoked)
        self._release(revoked, commit=commit)
        self._on_revoked()
        consumer.incremental_unassign(partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._on_revoke(consumer, partitions, commit=False)

    def _on_statistics(self, text: str) -> None:
        statistics = orjson.loads(text)
        parts = [p for t in statistics["topics"].values() for p in t["partitions"].values() if p["desired"]]
        self._lag = sum(max(0, p["consumer_lag"]) for p in parts)
        self._lag_clock.note(self._lag)
        self._broker = any(b["state"] == "UP" for b in statistics["brokers"].values())

    def _dead_letter(self, job: Job) -> None:
        write_dead_letter(self._producer, self.name, job, kept=self._secret.get(str(job.message.topic())))
