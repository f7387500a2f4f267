"""The sender threads. Each sends one mail at a time, from its connection to its acknowledged record: they are the permits.

handled, or a repetition           done
ServerUnavailable                  put back; one mail at a time is tried, without an end. Three times while others are sent: put off
Fenced, NotKnownYet                put back
TransientFailure, or a bug         tried again five times in about 30 s, then dead-lettered: the key's next events wait
PermanentFailure, MalformedEvent   dead-lettered at once
"""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaException, Message
from structlog.contextvars import bound_contextvars

from libs.messaging import event_metrics
from libs.messaging.envelope import MalformedEvent
from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.messaging.handlers import RETRY_SECONDS, Handler
from libs.messaging.tracing import handling, log_handled
from libs.runtime.logs import get_logger
from libs.runtime.steps import Steps
from notification_service.domain.failures import Fenced, NotKnownYet
from notification_service.domain.parked_mail import ParkedMail
from notification_service.events.topics import GROUP
from notification_service.smtp.mailer import Mailer
from notification_service.smtp.replies import SessionRefused, SmtpDown
from notification_service.store.dead_letters import DeadLetters
from notification_service.use_cases.park_mail import SendOrPark
from notification_service.worker.fence import Fence
from notification_service.worker.pace import Pace
from notification_service.worker.parked_mails import DueMails, ParkedTry
from notification_service.worker.turns import Job, Turns

log = get_logger(__name__)

IDLE_SECONDS = 0.25
STEP_SECONDS = 20.0  # what is no SMTP session and no write to Kafka; those are steps of their own
AGAIN_SECONDS = 1.0
OWN_FAULTS = 3
CALM_PARKED, CALM_SECONDS = (
    10_000,
    1.0,
)  # so many parked mails, while the server refuses everybody: one new mail a second
Task = Job | ParkedMail


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """What a sender does with a task. `handlers`: of new events."""

    handlers: Mapping[str, Handler]
    send_or_park: SendOrPark
    parked_try: ParkedTry
    dead_letters: DeadLetters
    mailer: Mailer
    fence: Fence
    steps: Steps


class Senders:
    """The threads and what they work on. `changed` is the lock of the turns."""

    def __init__(self, handling: Handling, due: DueMails, permits: int) -> None:
        self._do, self.turns, self._due, self._permits, self._pace = handling, Turns(), due, permits, Pace(permits)
        self.changed = threading.Condition()
        self.is_open = False
        """Set it under the lock: whether new events and parked mails may be taken."""
        self._active, self._stopped, self._threads = 0, False, list[threading.Thread]()
        self._new_at, self._was_parked, self._smtp_down = 0.0, False, False
        self._retrying: dict[str, object] | None = None
        self.handled, self.dead = 0, 0

    def start(self) -> None:
        """Start the threads."""
        self._threads = [
            threading.Thread(target=self._run, name=f"sender-{n}", daemon=True) for n in range(self._permits)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take no further mail."""
        with self.changed:
            self._stopped = True
            self.changed.notify_all()

    def alive(self) -> bool:
        """False when a thread died."""
        return all(thread.is_alive() for thread in self._threads)

    def status(self) -> dict[str, object]:
        """`active`: mails that are sent right now. `retrying`: what is unavailable, or the event that is retried."""
        retrying = {"reason": self._pace.reason, "attempts": self._pace.failures} if self._pace.reason else None
        if not retrying and self._do.parked_try.parked.is_full:
            retrying = {"reason": "too many mails are parked", "attempts": 0}
        return {"active": self._active, "parkedActive": self._due.active, "retrying": retrying or self._retrying}

    def oldest(self) -> int | None:
        """The time of the oldest event that is not done, in ms since the epoch."""
        with self.changed:
            return self.turns.oldest()

    def accept(self, messages: Iterable[Message]) -> None:
        """Take new messages."""
        with self.changed:
            self.turns.accept(messages)
            self.changed.notify_all()

    def drop(self) -> None:
        """Drop all events. Call it with the lock."""
        self.turns.drop()
        self._due.drop()

    def _run(self) -> None:
        while (task := self._next()) is not None:
            try:
                self._do.fence.begin()
                self._do.steps.begin("handle an event", STEP_SECONDS)
                if isinstance(task, Job):
                    with handling(task.message, GROUP) as work:
                        self._handle(task)
                        work.attempts, work.error = task.attempts, task.error
                else:
                    with bound_contextvars(event_id=task.event_id, topic=task.topic):
                        self._handle(task)
            finally:
                self._do.steps.end()
                self._do.fence.end()
                with self.changed:
                    self._active -= 1
                    if isinstance(task, ParkedMail):
                        self._due.end(task)

    def _next(self) -> Task | None:
        """The next task, as soon as there is one. None: the threads end."""
        with self.changed:
            while not self._stopped:
                now = time.monotonic()
                may_send = self.is_open and self._active < self._pace.limit(now) and self._do.fence.in_contact()
                if may_send and (task := self._pick(now)):
                    self._active += 1
                    self._was_parked = isinstance(task, ParkedMail)
                    self.changed.notify()  # there may be work for one more
                    return task
                self.changed.wait(IDLE_SECONDS)
        return None

    def _pick(self, now: float) -> Task | None:
        new = None if self._do.parked_try.parked.is_full else self.turns.peek(now)
        if new and self._do.mailer.refuses_everybody and len(self._do.parked_try.parked) >= CALM_PARKED:
            new = new if now - self._new_at >= CALM_SECONDS else None
        is_link = new is not None and not new.turn[0]
        room = self._due.active < max(1, self._permits // 2) and not (self._permits == 1 and self._was_parked and new)
        if room and not is_link and (mail := self._due.take(now)):
            return mail
        if new:
            self._new_at = now
            return self.turns.take(now)
        return None

    def _handle(self, task: Task) -> None:
        answers = self._do.mailer.answers
        try:
            if isinstance(task, ParkedMail):
                self._do.parked_try(task)
            else:
                self._try(task)
            if not self._smtp_down:
                self._pace.succeed()
        except SessionRefused as error:
            self._pace.refuse_session()
            self._count_retry(task, "unavailable", str(error))
            self._put_back(task, AGAIN_SECONDS, str(error))
        except NotKnownYet:
            self._put_back(task, AGAIN_SECONDS)
        except Fenced as error:
            self._put_back(task, AGAIN_SECONDS, str(error))
        except (ServerUnavailable, KafkaException) as error:
            reason = str(error) if isinstance(error, ServerUnavailable) else "Kafka is unavailable"
            wait, self._smtp_down = self._pace.fail(reason), isinstance(error, SmtpDown)
            log.warning(
                "event not handled yet", reason=reason, attempts=self._pace.failures, wait_seconds=round(wait, 2)
            )
            self._count_retry(task, "unavailable", reason)
            self._put_back(task, 0.0)
        except Exception as error:
            self._fail(task, error)
        if self._do.mailer.answers != answers:
            self._pace.succeed()

    def _try(self, job: Job) -> None:
        """Try a new event. Raises what `_handle` catches."""
        job.attempts += not job.outcome
        job.error, began = "", time.monotonic()
        if job.event is None or job.outcome:
            self._end(job, job.outcome or job.problem)
            return
        try:
            self._do.handlers[job.place[0]](job.event)
        except SmtpDown as error:
            if not self._is_own_fault(job):
                raise
            kind = error.kind or job.place[0]
            self._do.send_or_park.put_off(job.event, TransientFailure(str(error)), kind=kind)
        except (MalformedEvent, PermanentFailure) as error:
            job.reason_class = "malformed" if isinstance(error, MalformedEvent) else "refused"
            self._end(job, str(error) or type(error).__name__)
            return
        event_metrics.count(job.place[0], "handled")
        log_handled(job.message, seconds=time.monotonic() - began, attempts=job.attempts)
        self._end(job, "")

    def _is_own_fault(self, job: Job) -> bool:
        """True when the server was unavailable for this mail three times while it answered others in between."""
        (faults, seen), answers = job.outages, self._do.mailer.answers
        faults += seen >= 0 and answers > seen
        job.outages = faults, answers
        return faults >= OWN_FAULTS

    def _end(self, job: Job, reason: str) -> None:
        """The event is done; with a reason it has a dead letter. Raises ServerUnavailable."""
        job.outcome = job.error = reason
        if reason:
            if not self._do.fence.is_current(*job.place):
                raise Fenced("the group took the partition away")
            with self._do.steps.step("write a dead letter", STEP_SECONDS):
                self._do.dead_letters.write(
                    job.message, reason=reason, attempts=job.attempts, reason_class=job.reason_class
                )
        with self.changed:
            self.turns.finish(job)
            self.handled += 1
            self.dead += bool(reason)
        self._retrying = None

    def _put_back(self, task: Task, seconds: float, reason: str = "") -> None:
        if isinstance(task, Job):
            with self.changed:
                self.turns.put_back(task, time.monotonic() + seconds)
        if reason:
            log.info("event waits", reason=reason)

    def _fail(self, task: Task, error: Exception) -> None:
        """A failure of the event itself, or a bug. A parked mail stays parked."""
        reason = str(error) if isinstance(error, TransientFailure) else f"handler failed: {type(error).__name__}"
        if not isinstance(error, TransientFailure):
            log.error("handler failed", exc_info=error)
        if isinstance(task, ParkedMail):
            return
        task.failures += 1
        if task.failures > len(RETRY_SECONDS):
            task.reason_class = "failed"
            try:
                self._end(task, reason)
            except (ServerUnavailable, Fenced) as failure:
                task.failures -= 1
                self._put_back(task, AGAIN_SECONDS, str(failure))
            return
        self._retrying = {"reason": reason, "attempts": task.attempts}
        self._count_retry(task, "failed", reason)
        self._put_back(task, RETRY_SECONDS[task.failures - 1], reason)

    def _count_retry(self, task: Task, reason_class: str, reason: str) -> None:
        """Note that a try of a new event failed and is repeated."""
        if isinstance(task, Job):
            task.error = reason
            event_metrics.count(task.place[0], "retried", reason_class)
