"""The consumer loop: an event's effect is stored first, its offset committed after, and no event ends the loop.

handled, or seen before   offset stored, committed within `commit_seconds`
ServerAway                all partitions pause, the event stays in hand, retries with back-off; polling goes on, so that the
                          group does not take the partitions away
anything else             dead letter with the original bytes and the reason, then as handled
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from structlog.contextvars import bound_contextvars

from chassis import kafka
from chassis.envelope import Event, MalformedEvent, parse, rfc3339
from chassis.logs import get_logger

log = get_logger(__name__)

Handler = Callable[[Event], None]
Away = tuple[type[Exception], ...]

POLL_SECONDS = 0.5
BACKOFF_CAP_SECONDS = 60.0
DELIVERY_SECONDS = 10.0


class ServerAway(Exception):
    """A server that the handler needs does not answer: keep the event and try again."""


class Refused(Exception):
    """The event can never be handled, by a rule of the handler. The text holds no value of the event."""


class EventConsumer:
    """One group member with one handler a topic; run it in a thread of its own."""

    def __init__(
        self, brokers: str, group: str, handlers: Mapping[str, Handler], away: Away = (), commit_seconds: float = 0.5
    ) -> None:
        """`away`: errors of a handler that mean ServerAway. `commit_seconds` 0 commits after each event."""
        self.name, self._brokers, self._handlers = group, brokers, handlers
        self._away: Away = (ServerAway, *away)
        self._commit_seconds, self._committed_at, self._uncommitted = commit_seconds, 0.0, False
        self._consumer: Consumer = kafka.make_consumer(brokers, group, stats_cb=self._on_statistics)
        self._producer: Producer | None = None
        self._held: Message | None = None
        self._attempts, self._due, self.beat = 0, 0.0, time.monotonic()
        self._state: dict[str, Any] = {"assigned": 0, "lag": 0, "broker": False, "handled": 0, "deadLetters": 0}
        self._state |= {"retrying": None, "lastEventAt": None}

    def state(self) -> dict[str, Any]:
        """What /health and /metrics show: assigned partitions, lag, broker, handled, deadLetters, retrying, lastEventAt."""
        return dict(self._state)

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set, then commit and leave the group."""
        callbacks = {"on_assign": self._on_assign, "on_revoke": self._on_revoke, "on_lost": self._on_lost}
        self._consumer.subscribe(list(self._handlers), **callbacks)
        try:
            while not stop.is_set():
                self._step()
        finally:
            self._commit(wait=True)
            self._consumer.close()
            self._producer, self._state["assigned"] = None, 0

    def _step(self) -> None:
        self.beat = time.monotonic()
        wait = POLL_SECONDS if self._held is None else max(0.0, min(POLL_SECONDS, self._due - self.beat))
        message = self._consumer.poll(wait)
        if message is not None and (error := message.error()):
            if error.fatal():  # this client will never work again
                raise KafkaException(error)
            log.warning("Kafka reports", error=error.name(), detail=error.str())
        elif message is not None:
            if self._held is not None:
                raise RuntimeError("a message came from a paused partition; start again from the last commit")
            self._take(message)
        elif self._held is not None and time.monotonic() >= self._due:
            self._take(self._held)
        if self._uncommitted and time.monotonic() - self._committed_at >= self._commit_seconds:
            self._commit(wait=False)

    def _take(self, message: Message) -> None:
        self._attempts += 1
        try:
            if reason := self._handle(message):
                self._dead_letter(message, reason)
        except self._away as error:
            self._hold(message, error)
        else:
            self._done(message)

    def _handle(self, message: Message) -> str | None:
        """Have the event handled; return why it never can be, if so. Raises the `away` errors."""
        try:
            event = parse(message)
            with bound_contextvars(event_id=event.id, topic=event.type):
                self._handlers[event.type](event)
        except self._away:
            raise
        except (MalformedEvent, Refused) as error:
            return str(error)
        except Exception as error:
            log.exception("handler failed", **_origin(message))
            return f"handler failed: {type(error).__name__}"
        return None

    def _done(self, message: Message) -> None:
        self._attempts, self._uncommitted, self._state["retrying"] = 0, True, None
        self._state |= {"handled": self._state["handled"] + 1, "lastEventAt": rfc3339(datetime.now(UTC))}
        if self._held is not None:
            self._held = None
            self._consumer.resume(self._consumer.assignment())
        try:
            self._consumer.store_offsets(message=message)
        except KafkaException as error:  # the partition was taken away meanwhile: its next owner sees the event again
            log.warning("offset not stored", error=error.args[0].name())

    def _hold(self, message: Message, error: Exception) -> None:
        wait = random.uniform(0, min(BACKOFF_CAP_SECONDS, 2.0 ** min(self._attempts - 1, 10)))  # full jitter
        self._held, self._due = message, time.monotonic() + wait
        self._consumer.pause(self._consumer.assignment())
        reason = str(error) if isinstance(error, ServerAway) else type(error).__name__
        self._state["retrying"] = {"reason": reason, "attempts": self._attempts}
        log.warning("a server is away; will try again", wait_seconds=round(wait, 2), **self._state["retrying"])

    def _dead_letter(self, message: Message, reason: str) -> None:
        """Write the dead letter and wait for its delivery. Raises ServerAway when it can't be written."""
        failures: list[Any] = []
        producer = self._producer = self._producer or kafka.make_producer(self._brokers)
        why = {"x-reason": reason, "x-attempts": self._attempts, "x-failed-at": rfc3339(datetime.now(UTC))}
        why |= {f"x-origin-{name}": value for name, value in _origin(message).items()}
        try:
            producer.produce(
                kafka.dead_letter_topic(str(message.topic()), self.name),
                message.value(),
                message.key(),
                partition=message.partition() or 0,
                headers=[*(message.headers() or []), *((name, str(value)) for name, value in why.items())],
                on_delivery=lambda error, _: failures.append(error) if error else None,
            )
            failures += [producer] * producer.flush(DELIVERY_SECONDS)
        except (KafkaException, BufferError) as error:
            failures.append(error)
        if failures:
            producer.purge()
            self._producer = None
            raise ServerAway("the dead letter can't be written")
        self._state["deadLetters"] += 1
        log.error("dead letter written", reason=reason, **_origin(message))

    def _commit(self, *, wait: bool) -> None:
        if self._uncommitted:
            self._uncommitted, self._committed_at = False, time.monotonic()
            try:
                self._consumer.commit(asynchronous=not wait)  # type: ignore[call-overload] # has an overload for each value
            except KafkaException as error:
                log.warning("offsets not committed", error=error.args[0].name())

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign(partitions)
        if self._held is not None:
            consumer.pause(partitions)
        self._state["assigned"] = len(consumer.assignment())
        log.info("partitions assigned", group=self.name, new=len(partitions), total=self._state["assigned"])

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._commit(wait=True)
        self._on_lost(consumer, partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_unassign(partitions)
        left = consumer.assignment()
        held = self._held and (self._held.topic(), self._held.partition())
        if held in [(p.topic, p.partition) for p in partitions]:
            self._held, self._attempts, self._state["retrying"] = None, 0, None
            consumer.resume(left)
        self._state["assigned"] = len(left)

    def _on_statistics(self, text: str) -> None:
        statistics = orjson.loads(text)
        parts = [p for t in statistics["topics"].values() for p in t["partitions"].values() if p["desired"]]
        self._state["lag"] = sum(max(0, p["consumer_lag"]) for p in parts)
        self._state["broker"] = any(b["state"] == "UP" for b in statistics["brokers"].values())


def _origin(message: Message) -> dict[str, Any]:
    names = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
    return names | {"ts": message.timestamp()[1]}
