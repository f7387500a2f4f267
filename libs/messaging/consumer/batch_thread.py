"""One thread that handles the events that wait, up to 100 in one transaction, as they came.

refused by the handler         dead-lettered, after the others are stored
server unavailable             the same batch again after 1 s * 2^n with full jitter, at most 15 s, without an end
write conflict, time limit     the same events again, in batches of half the size; no try counts
another error                  two halves in turn, each a transaction of its own, until the event stands alone
an event alone that fails      tried again five times in about 30 s, then dead-lettered: only its key waits
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from queue import Empty, SimpleQueue

from confluent_kafka import KafkaException

from libs.messaging import event_metrics
from libs.messaging.consumer.batch_metrics import BatchMetrics
from libs.messaging.consumer.batch_size import BatchSize
from libs.messaging.consumer.batch_spans import BatchSpans, log_handler_failed, log_not_handled
from libs.messaging.consumer.batches import MAX_BYTES, MAX_WEIGHT, BatchHandler, Weigh
from libs.messaging.consumer.held_keys import HeldKeys
from libs.messaging.consumer.queued_event import QueuedEvent
from libs.messaging.envelope import MalformedEvent
from libs.messaging.failures import FailureKind, Failures, PermanentFailure, ServerUnavailable, TransientFailure
from libs.messaging.handlers import RETRY_SECONDS
from libs.runtime.logs import get_logger

log = get_logger(__name__)

BACKOFF_CAP_SECONDS = 15.0
CONFLICT_PAUSE_SECONDS = 0.02  # at most
LIMITS_ALONE = 5
"""Time limits of an event alone, in a row, until they count as its own failure."""
REST_AFTER_SECONDS, REST_SECONDS = 0.05, 0.005  # after a long batch, other writers of the same rows get a turn

Batch = list[QueuedEvent]
DeadLetter = Callable[[QueuedEvent], None]


class BatchThread:
    """`progress` is set when a batch ends. `retrying` and `busy_since` have an entry while it retries, and while it handles."""

    def __init__(
        self,
        handle: BatchHandler,
        dead_letter: DeadLetter,
        failures: Failures,
        weigh: Weigh,
        compacted: Collection[str] = (),
        *,
        group: str = "",
    ) -> None:
        self._handle, self._dead_letter, self._failures, self._weigh = handle, dead_letter, failures, weigh
        self._compacted, self._group = compacted, group
        self._incoming: SimpleQueue[QueuedEvent | None] = SimpleQueue()
        self._waiting, self.held, self._size = deque[QueuedEvent](), HeldKeys(), BatchSize()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._wake, self._lock, self._outages = threading.Event(), threading.Lock(), 0
        self.metrics, self.open_events, self.open_bytes = BatchMetrics(), 0, 0
        self.progress = threading.Event()
        self.retrying: dict[int, dict[str, object]] = {}
        self.busy_since: dict[int, float] = {}

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, job: QueuedEvent) -> None:
        """Let an event wait for its batch."""
        with self._lock:
            self.open_events, self.open_bytes = self.open_events + 1, self.open_bytes + job.size
        self._incoming.put(job)

    def drop(self, jobs: Batch) -> None:
        """Handle these events no more. One whose transaction runs stays active until that has ended."""
        for job in jobs:
            job.dropped = True
            self._close(job)
        self._wake.set()

    def end(self) -> None:
        """Let the thread end after its batch."""
        self._incoming.put(None)

    def alive(self) -> bool:
        """False when the thread died."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            while self._gather():
                work = deque([self._take()])
                while work:
                    work.extendleft(reversed(self._attempt(work.popleft())))
        finally:
            self.progress.set()

    def _gather(self) -> bool:
        """Take in what was put. Waits only while there is nothing to do. False at the end."""
        self._waiting.extendleft(reversed(self.held.drop()))
        due = self.held.next_due()
        wait = 0.0 if self._waiting else None if due is None else max(0.0, due - time.monotonic())
        try:
            job = self._incoming.get(timeout=wait)
            while job is not None:
                self._waiting.append(job)
                job = self._incoming.get_nowait()
        except Empty:
            return True
        return False

    def _take(self) -> Batch:
        """The next batch: an event that is due again, alone, or those that wait."""
        if (again := self.held.first_due(time.monotonic())) is not None:
            return [again]
        batch, weight, size = Batch(), 0, 0
        while self._waiting and len(batch) < self._size.events:
            job = self._waiting.popleft()
            if self.held.is_behind(job):
                self.held.add(job)
            elif not job.dropped and self._is_well_formed(job):
                weight, size = weight + self._weigh(job.read()), size + job.size
                if batch and (weight > MAX_WEIGHT or size > MAX_BYTES):
                    self._waiting.appendleft(job)
                    break
                batch.append(job)
        return batch

    def _is_well_formed(self, job: QueuedEvent) -> bool:
        """Dead-letter an event that is not. A tombstone of a compacted topic is done."""
        try:
            if job.read().is_tombstone and job.topic in self._compacted:
                log.info("tombstone ignored", topic=job.topic)
                self._done(job, "")
                self.progress.set()
                return False
            job.read().require_value()
        except MalformedEvent as error:
            job.active, job.attempts = True, job.attempts + 1
            self._settle(job, str(error), "malformed")
            job.active = False
            self.progress.set()
            return False
        return True

    def _attempt(self, batch: Batch) -> list[Batch]:
        """Try a batch once. Returns what is to be tried next, in sequence."""
        jobs = Batch()
        for job in batch:
            if self.held.is_behind(job):  # it was, since the batch was made
                self.held.add(job)
                continue
            job.active = True  # set before `dropped` is read: the consumer waits for active events after it drops them
            if job.dropped:
                job.active = False
            else:
                jobs.append(job)
        if not jobs:
            return []
        try:
            began = self.busy_since[0] = time.monotonic()
            try:
                work = BatchSpans(jobs, self._group)
                with work.handling():
                    refused = self._handle(work.events)
            finally:
                self.busy_since.pop(0)
            seconds = time.monotonic() - began
        except Exception as error:
            return self._recover(jobs, error)
        else:
            work.end(refused, seconds)
            self._finish(jobs, dict(refused), seconds)
            return []
        finally:
            for job in jobs:
                job.active = False
            self.progress.set()

    def _finish(self, jobs: Batch, refused: dict[str, str], seconds: float) -> None:
        self._outages = 0
        self.retrying.pop(0, None)
        self._size.note(seconds)
        self.metrics.observe(len(jobs), seconds)
        letters = list[tuple[QueuedEvent, str]]()
        for job in jobs:
            job.attempts += 1
            if (reason := refused.get(job.read().id)) is not None:
                letters.append((job, reason))
            else:
                self._done(job, "")
        for job, reason in letters:
            self._settle(job, reason or "refused", "refused")
        if seconds > REST_AFTER_SECONDS:
            self._pause(REST_SECONDS)

    def _recover(self, jobs: Batch, error: Exception) -> list[Batch]:
        kind = self._kind_of(error)
        if kind is FailureKind.UNAVAILABLE:
            event_metrics.count_retries(jobs, "unavailable")
            jobs[0].limits = 0
            self._back_off(error, jobs)
            return [jobs]
        self._outages = 0
        self.retrying.pop(0, None)
        if kind is FailureKind.CONFLICT:
            self.metrics.conflicts += 1
            event_metrics.count_retries(jobs, "conflict")
            self._size.limit_to(max(len(jobs), self._size.events) // 2)
            log.warning("batch met a conflict", events=len(jobs), error=type(error).__name__)
            self._pause(random.uniform(0, CONFLICT_PAUSE_SECONDS))
            return self._in_parts(jobs)
        if kind is FailureKind.LIMIT:
            self.metrics.limits += 1
            self._size.limit_to(len(jobs) // 2)
            log.warning("batch met a time limit", events=len(jobs), error=type(error).__name__)
            jobs[0].limits += len(jobs) == 1
            if len(jobs) > 1 or jobs[0].limits < LIMITS_ALONE:
                event_metrics.count_retries(jobs, "limit")
                return self._in_parts(jobs)
        if len(jobs) > 1:
            self.metrics.halvings += 1
            log.warning("batch failed, halved", events=len(jobs), error=type(error).__name__)
            half = len(jobs) // 2
            return [jobs[:half], jobs[half:]]
        self._fail(jobs[0], error)
        return []

    def _kind_of(self, error: Exception) -> FailureKind:
        if isinstance(error, (ServerUnavailable, KafkaException)):
            return FailureKind.UNAVAILABLE
        kind = self._failures.kind_of(error)
        if kind is FailureKind.LIMIT and not self._failures.answers():
            return FailureKind.UNAVAILABLE
        return kind

    def _in_parts(self, jobs: Batch) -> list[Batch]:
        return [jobs[start : start + self._size.events] for start in range(0, len(jobs), self._size.events)]

    def _fail(self, job: QueuedEvent, error: Exception) -> None:
        """An event failed alone, by itself. Its key is held, or it is dead-lettered."""
        job.attempts += 1
        if isinstance(error, (MalformedEvent, PermanentFailure)):
            self._settle(job, str(error) or type(error).__name__, "refused")
            return
        if isinstance(error, TransientFailure):
            reason = str(error)
        else:
            reason = f"handler failed: {type(error).__name__}"
            log_handler_failed(job, error)
        job.retries += 1
        if job.retries > len(RETRY_SECONDS):
            self._settle(job, reason, "failed")
            return
        wait = RETRY_SECONDS[job.retries - 1]
        event_metrics.count_retries([job], "failed")
        self.held.hold(job, time.monotonic() + wait, reason)
        log_not_handled([job], reason, wait)

    def _settle(self, job: QueuedEvent, reason: str, reason_class: str) -> None:
        """Write a dead letter, again while Kafka is unavailable. An event that is dropped is left to its next owner."""
        job.outcome, outages = reason, self._outages
        while not (job.done or job.dropped):
            try:
                self._dead_letter(job)
            except (KafkaException, ServerUnavailable) as error:
                self._back_off(error, [job])
            else:
                self._outages = outages
                self.retrying.pop(0, None)
                event_metrics.count(job.topic, "dead", reason_class)
                self._done(job, reason)

    def _done(self, job: QueuedEvent, outcome: str) -> None:
        job.finish(outcome)
        self._close(job)
        self._waiting.extendleft(reversed(self.held.release(job)))

    def _close(self, job: QueuedEvent) -> None:
        with self._lock:
            if job.open:
                job.open = False
                self.open_events, self.open_bytes = self.open_events - 1, self.open_bytes - job.size

    def _back_off(self, error: Exception, jobs: Batch) -> None:
        self._outages += 1
        reason = str(error) if isinstance(error, ServerUnavailable) else type(error).__name__
        wait = random.uniform(0, min(BACKOFF_CAP_SECONDS, 2.0 ** min(self._outages - 1, 10)))
        self.retrying[0] = {"reason": reason, "attempts": self._outages}
        log_not_handled(jobs, reason, wait)
        self._pause(wait)

    def _pause(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()
