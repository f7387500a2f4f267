"""Lanes: the threads that handle events. Events of one key go through one lane, in order; each is tried until there is a verdict.

handled, or seen before    done
ServerAway                 tried again after 1 s * 2^n with full jitter, at most 60 s, for as long as it takes
RetryLater, or a bug       tried again five times in about 30 s, then dead-lettered: order matters more than patience
Refused, MalformedEvent    dead-lettered at once
"""

import random
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue

from confluent_kafka import Message
from structlog.contextvars import bound_contextvars

from libs.messaging.envelope import Event, MalformedEvent, parse
from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.runtime.logs import get_logger

log = get_logger(__name__)

BACKOFF_CAP_SECONDS = 60.0
RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)

Away = tuple[type[Exception], ...]
Handler = Callable[[Event], None]
DeadLetter = Callable[["Job"], None]


@dataclass(eq=False)
class Job:
    """An event on its way through a lane. `verdict`: None while open, "" when handled, else why it is a dead letter."""

    message: Message
    verdict: str | None = None
    attempts: int = 0
    retries: int = 0
    done: bool = False
    active: bool = False
    dropped: threading.Event = field(default_factory=threading.Event)  # set: not ours any more, or the end


class HandlerPool:
    """`count` threads. `progress` is set whenever a job ends; `retrying` and `busy_since` are by lane."""

    def __init__(self, count: int, handler: Callable[[str], Handler], dead_letter: DeadLetter, away: Away) -> None:
        self._handler, self._dead_letter = handler, dead_letter
        self._away: Away = (ServerUnavailable, *away)
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
        """Queue a job in its key's lane."""
        self._queues[zlib.crc32(job.message.key() or b"") % len(self._queues)].put(job)

    def end(self) -> None:
        """Let each thread end after the jobs it has."""
        for queue in self._queues:
            queue.put(None)

    def alive(self) -> bool:
        """False when a thread died."""
        return all(thread.is_alive() for thread in self._threads)

    def _run(self, lane: int) -> None:
        while (job := self._queues[lane].get()) is not None:
            job.active = True  # before the look at `dropped`: who drops a job waits for the active ones
            try:
                while not job.done and not job.dropped.is_set():
                    self.busy_since[lane] = time.monotonic()
                    wait = self._attempt(lane, job)
                    self.busy_since.pop(lane)
                    job.dropped.wait(wait)
                self.retrying.pop(lane, None)
            finally:  # a thread that dies is not waited for
                job.active = False
                self.progress.set()

    def _attempt(self, lane: int, job: Job) -> float:
        """Try once; return the seconds to wait before the next turn, 0 when the job is done."""
        job.attempts += job.verdict is None
        try:
            if job.verdict is None:
                job.verdict = self._handle(job.message)
            if job.verdict:
                self._dead_letter(job)
            job.done = True
            return 0.0
        except self._away as error:
            reason = str(error) if isinstance(error, ServerUnavailable) else type(error).__name__
            wait = random.uniform(0, min(BACKOFF_CAP_SECONDS, 2.0 ** min(job.attempts - 1, 10)))
        except Exception as error:
            reason = str(error) if isinstance(error, TransientFailure) else f"handler failed: {type(error).__name__}"
            if not isinstance(error, TransientFailure):
                log.exception("handler failed", topic=job.message.topic(), offset=job.message.offset())
            job.retries += 1
            if job.retries > len(RETRY_SECONDS):
                job.verdict = reason
                return 0.0
            wait = RETRY_SECONDS[job.retries - 1]
        self.retrying[lane] = {"reason": reason, "attempts": job.attempts}
        log.warning("will try again", reason=reason, attempts=job.attempts, wait_seconds=round(wait, 2))
        return wait

    def _handle(self, message: Message) -> str:
        """Have the event handled: "", or why it never can be."""
        try:
            event = parse(message)
            with bound_contextvars(event_id=event.id, topic=event.type):
                self._handler(event.type)(event)
        except (MalformedEvent, PermanentFailure) as error:
            return str(error) or type(error).__name__
        return ""
