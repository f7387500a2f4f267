"""The consumer loop: an event's effect is stored first, its offset committed after, and no event ends the loop.

One thread polls, whatever the handlers do, so that the group never takes the partitions away. Other threads handle
(`libs.messaging.handler_pool`).
Offsets are committed as far as everything before them is done.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import orjson
from confluent_kafka import KafkaException, Message, TopicPartition

from libs.messaging import clients, producer, topics
from libs.messaging.handler_pool import ErrorTypes, Handler, HandlerPool, Job
from libs.runtime.logs import get_logger
from libs.values.times import rfc3339

log = get_logger(__name__)

POLL_SECONDS = 0.5
QUICK_POLL_SECONDS = 0.02  # while events are in hand: their offsets wait to be stored
MAX_IN_FLIGHT = 32  # events a handler thread
UNPOLLED_SECONDS = 10.0  # a full hand waits this long without polling; pausing would throw the fetched events away
FINISH_SECONDS = 20.0


class EventConsumer:
    """One group member with one handler a topic; run it in a thread of its own."""

    def __init__(
        self,
        brokers: str,
        group: str,
        handlers: Mapping[str, Handler],
        *,
        unavailable: ErrorTypes = (),
        threads: int = 1,
        commit_seconds: float = 0.5,
        on_assigned: Callable[[set[int]], None] = lambda _: None,
        secret: Sequence[str] = (),
    ) -> None:
        """`unavailable`: errors of a handler that mean ServerUnavailable. `threads`: how many threads handle events, by key.
        `on_assigned` gets the numbers of new partitions before the first of their events is handled.
        `secret`: topics of whose events a dead letter keeps the id and the reason alone."""
        self._secret = frozenset(secret)
        self.name, self._brokers, self._handlers, self._on_assigned = group, brokers, handlers, on_assigned
        self._pool = HandlerPool(threads, handlers.__getitem__, self._dead_letter, (KafkaException, *unavailable))
        self._max_in_flight, self._in_flight, self._jobs = (
            threads * MAX_IN_FLIGHT,
            0,
            dict[tuple[str, int], deque[Job]](),
        )
        self._commit_seconds, self._committed_at, self._uncommitted = commit_seconds, 0.0, False
        self._consumer = clients.make_consumer(brokers, group, stats_cb=self._on_statistics)
        # Which partitions are ours is kept here: asking librdkafka for them fails while it ends.
        self._assigned: set[tuple[str, int]] = set()
        self._paused, self._polled_at, self.heartbeat = False, time.monotonic(), time.monotonic()
        self._state: dict[str, Any] = {"lag": 0, "broker": False, "handled": 0, "deadLetters": 0}
        self._state["lastEventAt"] = None

    def status(self) -> dict[str, Any]:
        """What /health and /metrics show: assigned partitions, lag, broker, handled, deadLetters, retrying, lastEventAt."""
        retrying = next(iter(list(self._pool.retrying.values())), None)
        return self._state | {"assigned": len(self._assigned), "retrying": retrying}

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set; then finish what is being handled, commit, and leave the group."""
        callbacks = {"on_assign": self._on_assign, "on_revoke": self._on_revoke, "on_lost": self._on_lost}
        self._pool.start()
        self._consumer.subscribe(list(self._handlers), **callbacks)
        try:
            while not stop.is_set():
                self._step()
        finally:
            self._give_back(list(self._jobs))
            self._pool.end()
            self._consumer.close()
            self._assigned.clear()
            if "_producer" in vars(self):
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
            self._take(message)
        elif error.fatal():  # this client will never work again
            raise KafkaException(error)
        else:
            log.warning("Kafka reports", error=error.name(), detail=error.str())

    def _take(self, message: Message) -> None:
        job = Job(message)
        self._jobs.setdefault((str(message.topic()), message.partition() or 0), deque()).append(job)
        self._in_flight += 1
        self._pool.put(job)

    def _collect(self) -> None:
        """Store the offsets of what is done with nothing open before it; commit when it is time."""
        for jobs in self._jobs.values():
            while jobs and jobs[0].done:
                job = jobs.popleft()
                self._in_flight -= 1
                self._state["handled"] += 1
                self._state["deadLetters"] += bool(job.outcome)
                self._state["lastEventAt"] = rfc3339(datetime.now(UTC))
                self._store(job.message)
        if self._uncommitted and time.monotonic() - self._committed_at >= self._commit_seconds:
            self._commit(wait=False)

    def _store(self, message: Message) -> None:
        self._uncommitted = True
        try:
            self._consumer.store_offsets(message=message)
        except KafkaException as error:  # the partition was taken away meanwhile: its next owner sees the event again
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

    def _give_back(self, partitions: list[tuple[str, int]], *, commit: bool = True) -> None:
        """Drop what waits, let what is being handled end, commit what is done."""
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

    def _on_assign(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        self._on_assigned({p.partition for p in partitions})
        consumer.incremental_assign(partitions)
        # Always one of the two: librdkafka remembers a pause of a partition that left while paused, and it would come back deaf.
        (consumer.pause if self._paused else consumer.resume)(partitions)
        self._assigned |= {(p.topic, p.partition) for p in partitions}
        log.info("partitions assigned", group=self.name, new=len(partitions), total=len(self._assigned))

    def _on_revoke(self, consumer: Any, partitions: list[TopicPartition], *, commit: bool = True) -> None:
        gone = [(p.topic, p.partition) for p in partitions]
        self._give_back(gone, commit=commit)
        consumer.incremental_unassign(partitions)
        self._assigned -= set(gone)

    def _on_lost(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        self._on_revoke(consumer, partitions, commit=False)

    def _on_statistics(self, text: str) -> None:
        statistics = orjson.loads(text)
        parts = [p for t in statistics["topics"].values() for p in t["partitions"].values() if p["desired"]]
        self._state["lag"] = sum(max(0, p["consumer_lag"]) for p in parts)
        self._state["broker"] = any(b["state"] == "UP" for b in statistics["brokers"].values())

    @cached_property
    def _producer(self) -> producer.Producer:
        return producer.Producer(self._brokers)

    def _dead_letter(self, job: Job) -> None:
        """Write the dead letter: the original bytes and headers, and why. Raises KafkaException when it can't be written."""
        message, now = job.message, rfc3339(datetime.now(UTC))
        origin = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
        why = {"x-reason": job.outcome, "x-attempts": job.attempts, "x-failed-at": now}
        why |= {f"x-origin-{name}": value for name, value in (origin | {"ts": message.timestamp()[1]}).items()}
        kept: list[Any] = list(message.headers() or [])
        value, key = message.value(), message.key()
        if message.topic() in self._secret:
            kept, value, key = [(name, text) for name, text in kept if name == "ce_id"], None, None
        headers = [*kept, *((name, str(text)) for name, text in why.items())]
        topic = topics.dead_letter_topic(str(message.topic()), self.name)
        self._producer.send(topic, value, key, partition=message.partition() or 0, headers=headers)
        log.error("dead letter written", reason=job.outcome, attempts=job.attempts, **origin)
