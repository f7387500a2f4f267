"""Handler threads. One thread handles the events of a key, in their sequence. Each event is tried until it has an outcome.

handled, or a repetition           done
ServerUnavailable                  tried again after 1 s * 2^n with full jitter, at most 60 s, without an end
TransientFailure, or a bug         tried again five times in about 30 s, then dead-lettered: the key's next events wait
PermanentFailure, MalformedEvent   dead-lettered at once
"""

import random
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue

from confluent_kafka import Message

from libs.messaging import event_metrics
from libs.messaging.envelope import Event, MalformedEvent, parse
from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.messaging.tracing import handling, log_handled
from libs.runtime.logs import get_logger

log = get_logger(__name__)

BACKOFF_CAP_SECONDS = 60.0
RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)

ErrorTypes = tuple[type[Exception], ...]
Handler = Callable[[Event], None]
DeadLetter = Callable[["Job"], None]


@dataclass(eq=False)
class Job:
    """An event in flight. `outcome`: None while it is open, "" when it was handled, else the reason of its dead letter.

    `reason_class`: of a dead letter, one of DEAD_REASONS. `error`: why the last attempt failed.
    """

    message: Message
    outcome: str | None = None
    reason_class: str = ""
    error: str = ""
    attempts: int = 0
    retries: int = 0
    done: bool = False
    active: bool = False
    dropped: threading.Event = field(
        default_factory=threading.Event
    )  # set: the partition was revoked, or the consumer stops

    @property
    def offset(self) -> int:
        """The offset of its message."""
        return self.message.offset() or 0

    @property
    def timestamp(self) -> int:
        """The time of its message, in ms since the epoch."""
        return int(self.message.timestamp()[1])


class HandlerPool:
    """`count` handler threads. `progress` is set when a job ends. `retrying` and `busy_since` have an entry per thread."""

    def __init__(
        self,
        count: int,
        handler: Callable[[str], Handler],
        dead_letter: DeadLetter,
        unavailable: ErrorTypes,
        *,
        group: str = "",
    ) -> None:
        self._group = group
        self._handler, self._dead_letter = handler, dead_letter
        self._unavailable: ErrorTypes = (ServerUnavailable, *unavailable)
        self._queues: list[SimpleQueue[Job | None]] = [SimpleQueue() for _ in range(count)]
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(count)]
        self.progress = threading.Event()
        self.retrying: dict[int, dict[str, object]] = {}
        self.busy_since: dict[int, float] = {}

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def put(self, job: Job) -> None:
        """Queue a job for the thread of its key."""
        self._queues[zlib.crc32(job.message.key() or b"") % len(self._queues)].put(job)

    def drop(self, jobs: Sequence[Job]) -> None:
        """Try these jobs no more."""
        for job in jobs:
            job.dropped.set()

    def end(self) -> None:
        """Let each thread end after its queued jobs."""
        for queue in self._queues:
            queue.put(None)

    def alive(self) -> bool:
        """False when a thread died."""
        return all(thread.is_alive() for thread in self._threads)

    def _run(self, thread: int) -> None:
        while (job := self._queues[thread].get()) is not None:
            job.active = True  # set before `dropped` is read: the consumer waits for active jobs after it drops them
            try:
                while not job.done and not job.dropped.is_set():
                    self.busy_since[thread] = time.monotonic()
                    with handling(job.message, self._group) as work:
                        wait = self._attempt(thread, job)
                        work.attempts, work.error = job.attempts, job.error
                    self.busy_since.pop(thread)
                    job.dropped.wait(wait)
                self.retrying.pop(thread, None)
            finally:  # the consumer does not wait for a thread that died
                job.active = False
                self.progress.set()

    def _attempt(self, thread: int, job: Job) -> float:
        """Try once. Return the seconds to wait before the next attempt, 0 when the job is done."""
        job.attempts += job.outcome is None
        topic, reason_class, job.error = str(job.message.topic()), "failed", ""
        try:
            if job.outcome is None:
                began = time.monotonic()
                job.outcome = self._handle(job)
                if not job.outcome:
                    event_metrics.count(topic, "handled")
                    log_handled(job.message, seconds=time.monotonic() - began, attempts=job.attempts)
            job.error = job.outcome
            if job.outcome:
                self._dead_letter(job)
                event_metrics.count(topic, "dead", job.reason_class)
            job.done = True
            return 0.0
        except self._unavailable as error:
            reason = str(error) if isinstance(error, ServerUnavailable) else type(error).__name__
            reason_class = "unavailable"
            wait = random.uniform(0, min(BACKOFF_CAP_SECONDS, 2.0 ** min(job.attempts - 1, 10)))
        except Exception as error:
            reason = str(error) if isinstance(error, TransientFailure) else f"handler failed: {type(error).__name__}"
            if not isinstance(error, TransientFailure):
                log.exception("handler failed", topic=job.message.topic(), offset=job.message.offset())
            job.retries, job.error = job.retries + 1, reason
            if job.retries > len(RETRY_SECONDS):
                job.outcome, job.reason_class = reason, reason_class
                return 0.0
            wait = RETRY_SECONDS[job.retries - 1]
        job.error = reason
        event_metrics.count(topic, "retried", reason_class)
        self.retrying[thread] = {"reason": reason, "attempts": job.attempts}
        log.warning("event not handled yet", reason=reason, attempts=job.attempts, wait_seconds=round(wait, 2))
        return wait

    def _handle(self, job: Job) -> str:
        """Handle the event. Return "", or why it can never be handled."""
        try:
            event = parse(job.message)
            self._handler(event.type)(event)
        except (MalformedEvent, PermanentFailure) as error:
            job.reason_class = "malformed" if isinstance(error, MalformedEvent) else "refused"
            return str(error) or type(error).__name__
        return ""
