"""The relay: publishes the outbox's rows, in the order of each aggregate, and deletes each on the broker's acknowledgement.

There is no high-water mark: ids become visible out of order, and a reader of `id > last` would lose rows. What is still there is
still to be sent; the table stays tiny. A relay killed between acknowledgement and delete sends a row twice, which every consumer
absorbs.

Any number of relays may run over one store; the one with the lease is active. The lease goes by the database's clock, and a relay
that was frozen finds it lost: at most its last batch goes out twice.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import orjson
from confluent_kafka import KafkaError, Message, Producer
from ulid import ULID

from libs.messaging.envelope import OutboxRow
from libs.runtime.health import failure_reason
from libs.runtime.logs import get_logger

log = get_logger(__name__)

BATCH = 200
IDLE_SECONDS = 0.05  # insert → consumer p50 40 ms, and 1-3 % of one core when idle
AWAY_SECONDS = 1.0
DRAIN_SECONDS = 5.0
LEASE_SECONDS = 8  # with 10 s take-overs took up to 11.3 s, and 12 s are promised
RENEW_SECONDS = 1.0  # also how often a standby looks: with 2 s a take-over took 12.1 s, and 12 s are promised
# Errors that no retry mends: the row goes to outbox_dead, the rest goes on.
PERMANENT = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.TOPIC_EXCEPTION)


class OutboxStore(Protocol):
    """Where a service keeps its pending events. Any method may raise one of the store's `unavailable` errors."""

    unavailable: tuple[type[Exception], ...]

    def renew_lease(self, owner: str, seconds: int) -> bool:
        """Take or keep the lease for so long by the database's clock; False when another owner has it. 0 gives it back."""

    def pending(self, limit: int) -> Sequence[OutboxRow]:
        """At most about `limit` rows, oldest first; with a row come all earlier ones of its aggregate."""

    def delete(self, event_ids: Sequence[str]) -> None:
        """Forget rows that the broker has acknowledged."""

    def move_to_dead(self, row: OutboxRow, reason: str) -> None:
        """Move a row that can never be published to outbox_dead."""

    def backlog(self) -> tuple[int, float]:
        """(rows pending, age of the oldest in seconds)."""


class Relay:
    """One loop over one store; run it in a thread of the worker."""

    name = "relay"

    def __init__(self, store: OutboxStore, make_producer: Callable[[], Producer]) -> None:
        self._store, self._make_producer = store, make_producer
        self._producer: Producer | None = None
        self._counts, self.heartbeat = {"published": 0, "failed": 0, "buried": 0}, time.monotonic()
        self._owner, self._leader, self._renewed_at = str(ULID()), False, -RENEW_SECONDS

    def run(self, stop: threading.Event) -> None:
        """Publish until `stop` is set; then send what is there, within DRAIN_SECONDS."""
        while not stop.is_set():
            self.heartbeat = time.monotonic()
            try:
                full = self._leads() and self._publish_batch(lambda: not stop.is_set()) >= BATCH
            except self._store.unavailable as error:
                log.warning("the outbox's database is away", reason=failure_reason(error))
                stop.wait(AWAY_SECONDS)
            else:
                stop.wait(0 if full else IDLE_SECONDS if self._leader else AWAY_SECONDS)
        self._drain()

    def status(self) -> dict[str, Any]:
        """What /health and /metrics show of the relay. Raises one of the store's `unavailable` errors."""
        pending, age = self._store.backlog()
        return {"pending": pending, "oldestAgeSeconds": round(age, 3), "leader": self._leader, **self._counts}

    def _leads(self) -> bool:
        if time.monotonic() - self._renewed_at >= RENEW_SECONDS:
            before, self._renewed_at = self._leader, time.monotonic()
            self._leader = self._store.renew_lease(self._owner, LEASE_SECONDS)
            if self._leader != before:
                log.info("relay leads" if self._leader else "another relay leads", owner=self._owner)
        return self._leader

    def _drain(self) -> None:
        end = time.monotonic() + DRAIN_SECONDS
        try:
            while time.monotonic() < end and self._leads() and self._publish_batch(lambda: time.monotonic() < end):
                self.heartbeat = time.monotonic()
            if self._leader:
                self._store.renew_lease(self._owner, 0)
        except self._store.unavailable as error:
            log.warning("stopped with the outbox's database away", error=type(error).__name__)

    def _publish_batch(self, go_on: Callable[[], bool]) -> int:
        rows = self._store.pending(BATCH)
        if not rows:
            return 0
        producer = self._producer = self._producer or self._make_producer()
        acked: list[str] = []
        refused: list[tuple[OutboxRow, KafkaError]] = []
        for row in sorted_by_aggregate(rows):
            self._produce(producer, row, acked, refused)
        while producer.flush(1) and go_on() and self._leads():
            self.heartbeat = time.monotonic()
        if len(producer):  # stopped, or another relay leads: the rows stay, the copies in memory go
            producer.purge()
            producer.flush(1)
            self._producer = None
        self._store.delete(acked)
        for row, error in refused:
            self._settle(row, error)
        self._counts["published"] += len(acked)
        return len(rows)

    def _produce(self, producer: Producer, row: OutboxRow, acked: list[str], refused: list[Any]) -> None:
        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is None:
                acked.append(row.event_id)
            else:
                refused.append((row, error))

        headers: list[tuple[str, str | bytes | None]] = list(orjson.loads(row.headers).items())
        try:
            producer.produce(
                row.topic, row.payload.encode(), row.aggregate_id.encode(), headers=headers, on_delivery=delivered
            )
        except Exception as error:  # KafkaException and BufferError: the queue is full, or the row is refused at once
            cause = error.args[0] if error.args and isinstance(error.args[0], KafkaError) else None
            refused.append((row, cause or KafkaError(KafkaError._QUEUE_FULL)))

    def _settle(self, row: OutboxRow, error: KafkaError) -> None:
        self._counts["failed"] += 1
        if error.code() in PERMANENT:
            log.error("event can never be published", event_id=row.event_id, topic=row.topic, error=error.name())
            self._store.move_to_dead(row, error.name())
            self._counts["buried"] += 1
        elif error.code() not in (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT):
            log.warning("event not published yet", event_id=row.event_id, topic=row.topic, error=error.name())
            self._producer = None  # after a fatal error (a broken idempotent session) only a new one works


def sorted_by_aggregate(rows: Sequence[OutboxRow]) -> list[OutboxRow]:
    """Rows grouped by aggregate in the order the aggregates come, each group by sequence."""
    groups: dict[str, list[OutboxRow]] = {}
    for row in rows:
        groups.setdefault(row.aggregate_id, []).append(row)
    return [row for group in groups.values() for row in sorted(group, key=lambda r: r.sequence)]
