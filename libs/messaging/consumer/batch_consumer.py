"""A consumer that handles the events that wait together, in one transaction for up to 100 of them (`batch_thread`)."""

from collections.abc import Collection, Sequence

from libs.messaging.consumer.batch_thread import BatchThread
from libs.messaging.consumer.batches import MAX_BYTES, MAX_EVENTS, BatchHandler, Weigh, weigh_one
from libs.messaging.consumer.group_member import GroupMember
from libs.messaging.consumer.queued_event import QueuedEvent
from libs.messaging.dead_letters import write_dead_letter
from libs.messaging.failures import Failures
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.tracing import handling

MAX_OPEN_EVENTS, MAX_OPEN_BYTES = 2 * MAX_EVENTS, 8 * MAX_BYTES
"""The limits of events that are fetched and not done. One that is done counts no more, even when its offset has to wait."""


class BatchConsumer(GroupMember):
    """One group member with one batch thread. Run it in its own thread."""

    def __init__(
        self,
        brokers: Brokers,
        group: str,
        topics: Sequence[str],
        handle: BatchHandler,
        *,
        failures: Failures,
        weigh: Weigh = weigh_one,
        compacted: Collection[str] = (),
        commit_seconds: float = 0.5,
    ) -> None:
        """`failures`: what the errors of the handler's database mean. `weigh`: how much of a batch each event takes.
        `compacted`: the topics whose tombstones are ignored."""
        self._batches = BatchThread(handle, self._dead_letter, failures, weigh, compacted, group=group)
        super().__init__(brokers, group, topics, self._batches, commit_seconds=commit_seconds)

    def status(self) -> dict[str, object]:
        """As GroupMember has it, and the figures of its batches. `retrying` is also the first event that holds its key."""
        status, batches = super().status(), self._batches
        retrying = status["retrying"] or next(batches.held.status(), None)
        counts = {"heldKeys": len(batches.held), "open": batches.open_events}
        uncommitted = max(0, self._in_flight - batches.open_events)
        return {**status, "retrying": retrying, **counts, "uncommitted": uncommitted, **batches.metrics.status()}

    def _room(self) -> int:
        return 0 if self._batches.open_bytes >= MAX_OPEN_BYTES else MAX_OPEN_EVENTS - self._batches.open_events

    def _dead_letter(self, job: QueuedEvent) -> None:
        assert job.message is not None  # it is kept until the event is done
        with handling(job.message, self.name) as work:
            reason = job.outcome or ""
            work.attempts, work.error = job.tries, f"dead letter: {reason}"
            write_dead_letter(self._producer, self.name, job.message, reason=reason, attempts=job.attempts)
