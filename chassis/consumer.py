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
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from structlog.contextvars import bound_contextvars

from chassis import kafka
from chassis.envelope import Event, MalformedEvent, parse, rfc3339
from chassis.logs import get_logger

log = get_logger(__name__)

Handler = Callable[[Event], None]

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
        self,
        *,
        brokers: str,
        group: str,
        handlers: Mapping[str, Handler],
        away: tuple[type[Exception], ...] = (),
        commit_seconds: float = 0.5,
        backoff_cap_seconds: float = BACKOFF_CAP_SECONDS,
    ) -> None:
        """`away`: errors of a handler that mean ServerAway. `commit_seconds` 0 commits after each event."""
        self.name, self._brokers, self._handlers = group, brokers, handlers
        self._away: tuple[type[Exception], ...] = (ServerAway, *away)
        self._commit_seconds, self._backoff_cap = commit_seconds, backoff_cap_seconds
        self._consumer: Consumer | None = None
        self._producer: Producer | None = None
        self._held: Message | None = None
        self._attempts, self._due, self._committed_at, self._uncommitted = 0, 0.0, 0.0, False
        self._state: dict[str, Any] = {"assigned": 0, "lag": 0, "broker": False, "handled": 0, "deadLetters": 0}
        self._state |= {"retrying": None, "lastEventAt": None}
        self.beat = time.monotonic()

    def state(self) -> dict[str, Any]:
        """What /health and /metrics show: assigned partitions, lag, broker, handled, deadLetters, retrying, lastEventAt."""
        return dict(self._state)

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set, then commit and leave the group."""
        self._consumer = consumer = kafka.make_consumer(self._brokers, self.name, stats_cb=self._on_statistics)
        consumer.subscribe(
            list(self._handlers), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
        try:
            while not stop.is_set():
                self._step(consumer)
        finally:
            self._commit(wait=True)
            consumer.close()
            self._state["assigned"] = 0

    def _step(self, consumer: Consumer) -> None:
        self.beat = time.monotonic()
        wait = POLL_SECONDS if self._held is None else max(0.0, min(POLL_SECONDS, self._due - self.beat))
        message = consumer.poll(wait)
        if message is not None and (error := message.error()):
            self._report(error)
        elif message is not None:
            self._take(message)
        elif self._held is not None and time.monotonic() >= self._due:
            self._take(self._held)
        if self._uncommitted and time.monotonic() - self._committed_at >= self._commit_seconds:
            self._commit(wait=False)

    def _take(self, message: Message) -> None:
        self._attempts += 1
        try:
            self._handle(message)
        except self._away as error:
            self._hold(message, error)
            return
        self._state["handled"] += 1
        self._state["lastEventAt"] = rfc3339(datetime.now(UTC))
        self._done(message)

    def _handle(self, message: Message) -> None:
        try:
            event = parse(message)
            with bound_contextvars(event_id=event.id, topic=event.type):
                self._handlers[event.type](event)
        except self._away:
            raise
        except (MalformedEvent, Refused) as error:
            self._dead_letter(message, str(error))
        except Exception as error:
            log.exception(
                "handler failed", topic=message.topic(), partition=message.partition(), offset=message.offset()
            )
            self._dead_letter(message, f"handler failed: {type(error).__name__}")

    def _done(self, message: Message) -> None:
        assert self._consumer
        self._attempts, self._uncommitted, self._state["retrying"] = 0, True, None
        if self._held is not None:
            self._held = None
            self._consumer.resume(self._consumer.assignment())
        try:
            self._consumer.store_offsets(message=message)
        except KafkaException as error:  # the partition was taken away meanwhile: its next owner sees the event again
            log.warning("offset not stored", error=error.args[0].name())

    def _hold(self, message: Message, error: Exception) -> None:
        assert self._consumer
        wait = random.uniform(0, min(self._backoff_cap, 2.0 ** min(self._attempts - 1, 10)))  # full jitter
        self._held, self._due = message, time.monotonic() + wait
        self._consumer.pause(self._consumer.assignment())
        reason = str(error) if isinstance(error, ServerAway) else type(error).__name__
        self._state["retrying"] = {"reason": reason, "attempts": self._attempts}
        log.warning(
            "a server is away; will try again", reason=reason, attempts=self._attempts, wait_seconds=round(wait, 2)
        )

    def _dead_letter(self, message: Message, reason: str) -> None:
        """Write the dead letter and wait for its delivery. Raises ServerAway when it can't be written."""
        failures: list[KafkaError] = []
        producer = self._producer = self._producer or kafka.make_producer(self._brokers)
        origin = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
        more = {f"x-origin-{name}": str(value) for name, value in (origin | {"ts": message.timestamp()[1]}).items()}
        more |= {"x-reason": reason, "x-attempts": str(self._attempts), "x-failed-at": rfc3339(datetime.now(UTC))}
        try:
            producer.produce(
                kafka.dead_letter_topic(str(message.topic()), self.name),
                message.value(),
                message.key(),
                partition=message.partition() or 0,
                headers=[*(message.headers() or []), *more.items()],
                on_delivery=lambda error, _: failures.append(error) if error else None,
            )
        except (KafkaException, BufferError):
            raise ServerAway("dead letter") from None
        if producer.flush(DELIVERY_SECONDS) or failures:
            producer.purge()
            self._producer = None
            raise ServerAway("dead letter")
        self._state["deadLetters"] += 1
        log.error("dead letter written", **origin, reason=reason)

    def _commit(self, *, wait: bool) -> None:
        if not self._uncommitted or not self._consumer:
            return
        self._uncommitted, self._committed_at = False, time.monotonic()
        try:
            if wait:
                self._consumer.commit(asynchronous=False)
            else:
                self._consumer.commit(asynchronous=True)
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
        gone = {(p.topic, p.partition) for p in partitions}
        if self._held is not None and (self._held.topic(), self._held.partition()) in gone:
            self._held, self._attempts = None, 0
        consumer.incremental_unassign(partitions)
        left = consumer.assignment()
        if self._held is None and left:
            consumer.resume(left)
        self._state["assigned"] = len(left)

    def _on_statistics(self, text: str) -> None:
        statistics = orjson.loads(text)
        self._state["broker"] = any(b["state"] == "UP" for b in statistics["brokers"].values())
        parts = [p for t in statistics["topics"].values() for p in t["partitions"].values()]
        self._state["lag"] = sum(max(0, p["consumer_lag"]) for p in parts if p["desired"])

    def _report(self, error: KafkaError) -> None:
        if error.code() != KafkaError._PARTITION_EOF:
            log.warning("Kafka reports", error=error.name(), detail=error.str())
