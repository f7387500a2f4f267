"""The traces of a batch: each of its events is handled in its own trace, though one call handles them all."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

from libs.messaging import event_metrics
from libs.messaging.consumer.queued_event import QueuedEvent
from libs.messaging.envelope import Event
from libs.messaging.tracing import continuing, log_handled_in_batch, make_span
from libs.runtime.logs import get_logger
from libs.runtime.telemetry import spans
from libs.runtime.telemetry.spans import Span

log = get_logger(__name__)


class BatchSpans:
    """One try of a batch. Each event whose trace is sampled has a span. `events`: what the handler gets.

    The handler makes each row with the `traceparent` of the event that it follows. So the row is below the event's span.
    """

    def __init__(self, jobs: Sequence[QueuedEvent], group: str) -> None:
        self._jobs, self._group, self._spans = jobs, group, dict[int, Span]()
        self.events = [self._begin(number, job.read()) for number, job in enumerate(jobs)]

    @contextmanager
    def handling(self) -> Iterator[None]:
        """Around the handler's call. An event alone is this thread's work. An exception is the error of all spans."""
        try:
            if len(self.events) == 1:
                with continuing(self.events[0]):
                    yield
            else:
                yield
        except BaseException as error:
            self._end(dict.fromkeys((event.id for event in self.events), type(error).__name__))
            raise

    def end(self, refused: Mapping[str, str], seconds: float) -> None:
        """The batch is stored, which took so long. Counts and logs each event, but those that are refused.

        `refused`: as the handler returned it.
        """
        self._end(refused)
        for job, event in zip(self._jobs, self.events, strict=True):
            if event.id not in refused:
                event_metrics.count(job.topic, "handled")
                log_handled_in_batch(event, seconds=seconds, attempts=job.tries)

    def _begin(self, number: int, event: Event) -> Event:
        self._jobs[number].tries += 1
        if event.trace is None or event.message is None or not event.trace.sampled:
            return event
        self._spans[number] = span = make_span(event.message, event.id, event.trace, self._group)
        return replace(event, trace=span.context)

    def _end(self, errors: Mapping[str, str]) -> None:
        for number, span in self._spans.items():
            span.attributes["shop.attempt"] = self._jobs[number].tries
            span.error = errors.get(self.events[number].id, "")
            spans.end(span)


def log_not_handled(jobs: Sequence[QueuedEvent], reason: str, wait_seconds: float) -> None:
    """Log that these events are tried again. The line of an event alone has its ids."""
    text = "event not handled yet" if len(jobs) == 1 else "batch not handled yet"
    with _about(jobs):
        log.warning(text, reason=reason, attempts=jobs[0].tries, events=len(jobs), wait_seconds=round(wait_seconds, 2))


def log_handler_failed(job: QueuedEvent, error: Exception) -> None:
    """Log the error of a handler for an event alone."""
    with _about([job]):
        log.error("handler failed", offset=job.offset, exc_info=error)


def _about(jobs: Sequence[QueuedEvent]) -> AbstractContextManager[None]:
    """The work on an event alone. A malformed event has no ids."""
    event = jobs[0].event if len(jobs) == 1 else None
    return continuing(event) if event else nullcontext()
