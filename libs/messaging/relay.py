"""The relay: publishes the rows of the outbox in the sequence of each aggregate, and deletes a row when the broker acknowledges it.

It keeps no last id: transactions do not commit in the sequence of their ids, so a reader of `id > last` would skip rows. The relay
publishes every row that it finds, and the table stays small. A relay that is killed between acknowledgement and deletion publishes
a row twice. Every consumer recognises the repetition.

Several relays may run over one store. The one that holds the lease publishes. The database's clock measures the lease. A relay that
was frozen finds its lease lost, so at most its last batch is published twice.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import orjson
from confluent_kafka import KafkaError, Message, Producer
from ulid import ULID

from libs.messaging.envelope import OutboxRow
from libs.messaging.tracing import log_published
from libs.runtime.health import failure_reason
from libs.runtime.logs import get_logger

log = get_logger(__name__)

BATCH_SIZE = 200
IDLE_SECONDS = 0.05  # measured: 40 ms from insert to consumer (p50), and 1-3 % of one core when idle
UNAVAILABLE_SECONDS = 1.0
DRAIN_SECONDS = 5.0
LEASE_SECONDS = 8  # the limit of a take-over is 12 s. With a lease of 10 s it took up to 11.3 s
RENEW_SECONDS = 1.0  # also the interval of a standby's checks. With 2 s a take-over took 12.1 s
MAX_LEASE_SECONDS = 60
"""A lease that ends later than in so many seconds is of before the database's clock was set back. It is free."""
# Errors that no retry fixes: the row moves to outbox_dead, and the relay publishes the rest.
PERMANENT_ERRORS = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.TOPIC_EXCEPTION)

Refusals = list[tuple[OutboxRow, KafkaError]]


class OutboxStore(Protocol):
    """A service's store of pending events. Each method may raise an error of the database's driver."""

    def is_temporary(self, error: Exception) -> bool:
        """Whether an error may pass: the server does not serve now, or other transactions were in the way."""

    def renew_lease(self, owner: str, seconds: int) -> bool:
        """Acquire or renew the lease, by the database's clock. False when another owner has it. 0 seconds release it.

        One that ends more than MAX_LEASE_SECONDS from now is free.
        """

    def pending(self, limit: int) -> Sequence[OutboxRow]:
        """About `limit` rows, oldest first. All earlier rows of a row's aggregate come with it."""

    def delete(self, rows: Sequence[OutboxRow]) -> None:
        """Delete rows that the broker has acknowledged, by one statement."""

    def move_to_dead(self, row: OutboxRow, reason: str) -> None:
        """Move a row that can never be published to outbox_dead."""

    def backlog(self) -> tuple[int, float]:
        """(number of pending rows, age of the oldest in seconds)."""

    def count_dead(self) -> int:
        """The number of rows in outbox_dead."""


class Relay:
    """One loop over one store. Run it in a thread of the worker."""

    name = "relay"

    def __init__(self, store: OutboxStore, make_producer: Callable[[], Producer]) -> None:
        self._store, self._make_producer = store, make_producer
        self._producer: Producer | None = None
        self._counts = {"published": 0, "failed": 0, "takeovers": 0}
        self._moved_to_dead = 0
        self.heartbeat = time.monotonic()
        self._owner, self._leader, self._renewed_at = str(ULID()), False, -RENEW_SECONDS
        self._woken = threading.Event()

    def wake(self) -> None:
        """Publish now: this process has stored an event. Other processes' events are found by looking each IDLE_SECONDS."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Publish until `stop` is set. Then publish the remaining rows within DRAIN_SECONDS."""
        while not stop.is_set():
            self.heartbeat = time.monotonic()
            try:
                full = self._holds_lease() and self._publish_batch(lambda: not stop.is_set()) >= BATCH_SIZE
            except Exception as error:
                if not self._store.is_temporary(error):
                    raise
                log.warning("database unavailable, events not published", reason=failure_reason(error))
                stop.wait(UNAVAILABLE_SECONDS)
            else:
                self._rest(stop, full)
        self._drain()

    def _rest(self, stop: threading.Event, full: bool) -> None:
        if not self._leader:
            stop.wait(UNAVAILABLE_SECONDS)
        elif not full:
            self._woken.wait(IDLE_SECONDS)
        self._woken.clear()

    def status(self) -> dict[str, object]:
        """What /health and /metrics show of the relay. Raises the errors of the store."""
        pending, age = self._store.backlog()
        fields = {"pending": pending, "oldestAgeSeconds": round(age, 3), "dead": self._store.count_dead()}
        return {**fields, "leader": self._leader, **self._counts, "buried": self._moved_to_dead}

    def _holds_lease(self) -> bool:
        if time.monotonic() - self._renewed_at >= RENEW_SECONDS:
            before, self._renewed_at = self._leader, time.monotonic()
            self._leader = self._store.renew_lease(self._owner, LEASE_SECONDS)
            if self._leader != before:
                self._counts["takeovers"] += self._leader
                log.info("relay lease acquired" if self._leader else "relay lease lost", owner=self._owner)
        return self._leader

    def _drain(self) -> None:
        end = time.monotonic() + DRAIN_SECONDS
        try:
            while (
                time.monotonic() < end and self._holds_lease() and self._publish_batch(lambda: time.monotonic() < end)
            ):
                self.heartbeat = time.monotonic()
            if self._leader:
                self._store.renew_lease(self._owner, 0)
        except Exception as error:
            if not self._store.is_temporary(error):
                raise
            log.warning("database unavailable, relay stopped", reason=failure_reason(error))

    def _publish_batch(self, may_continue: Callable[[], bool]) -> int:
        rows = self._store.pending(BATCH_SIZE)
        if not rows:
            return 0
        producer = self._producer = self._producer or self._make_producer()
        acked: list[OutboxRow] = []
        refused: Refusals = []
        for row in sorted_by_aggregate(rows):
            # the client refused an earlier event of this aggregate: its later ones wait for the next turn
            if not refused or row.aggregate_id not in {earlier.aggregate_id for earlier, _ in refused}:
                self._produce(producer, row, acked, refused)
        while producer.flush(1) and may_continue() and self._holds_lease():
            self.heartbeat = time.monotonic()
        if len(
            producer
        ):  # stopped, or the lease is lost: the rows stay in the store, their copies in memory are discarded
            producer.purge()
            producer.flush(1)
            self._producer = None
        self._store.delete(acked)
        for row, error in refused:
            self._settle(row, error)
        self._counts["published"] += len(acked)
        return len(rows)

    def _produce(self, producer: Producer, row: OutboxRow, acked: list[OutboxRow], refused: Refusals) -> None:
        headers: dict[str, str] = orjson.loads(row.headers)
        began = time.time_ns()

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                acked.append(row)
                log_published(message, row.event_id, row.aggregate_id, headers, began)
            else:
                refused.append((row, error))

        try:
            producer.produce(
                row.topic,
                row.payload.encode(),
                row.aggregate_id.encode(),
                headers=[*headers.items()],
                on_delivery=delivered,
            )
        except Exception as error:  # KafkaException, BufferError: the queue is full, or the client refuses the row
            cause = error.args[0] if error.args and isinstance(error.args[0], KafkaError) else None
            refused.append((row, cause or KafkaError(KafkaError._QUEUE_FULL)))

    def _settle(self, row: OutboxRow, error: KafkaError) -> None:
        self._counts["failed"] += 1
        if error.code() in PERMANENT_ERRORS:
            log.error("event can never be published", event_id=row.event_id, topic=row.topic, error=error.name())
            self._store.move_to_dead(row, error.name())
            self._moved_to_dead += 1
        elif error.code() not in (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT):
            log.warning("event not published yet", event_id=row.event_id, topic=row.topic, error=error.name())
            self._producer = None  # after a fatal error, such as a broken idempotent session, only a new one works


def sorted_by_aggregate(rows: Sequence[OutboxRow]) -> list[OutboxRow]:
    """Rows grouped by aggregate, each group by sequence. A group stands where its first row stands."""
    groups: dict[str, list[OutboxRow]] = {}
    for row in rows:
        groups.setdefault(row.aggregate_id, []).append(row)
    return [row for group in groups.values() for row in sorted(group, key=lambda r: r.sequence)]
