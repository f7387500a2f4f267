"""Spans: what a request, an event, a statement or a call took, recorded when it ends.

Nothing is recorded until a process has a recorder (`otel`), and then only for traces that are sampled. The ids of spans are those
of `trace_context`, so that headers and spans agree. Attributes follow OpenTelemetry's conventions.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from libs.runtime.telemetry import trace_context
from libs.runtime.telemetry.trace_context import TraceContext

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Attributes = dict[str, str | int | float | bool]


@dataclass(slots=True)
class Span:
    """One piece of work. `context.span_id` is its own id. `error`: why it failed, or empty. Times: nanoseconds since the epoch."""

    name: str
    kind: Kind
    context: TraceContext
    began: int = field(default_factory=time.time_ns)
    ended: int = 0
    attributes: Attributes = field(default_factory=dict)
    error: str = ""
    linked: TraceContext | None = None


class Recorder(Protocol):
    """Takes spans that have ended. It never waits and never raises."""

    def record(self, span: Span) -> None: ...


_recorder: Recorder | None = None


def set_recorder(recorder: Recorder | None) -> None:
    """Record the spans of this process from now on. None: no more."""
    global _recorder
    _recorder = recorder


def end(span: Span) -> None:
    """Record a span, if its trace is sampled."""
    if _recorder is not None and span.context.sampled:
        span.ended = span.ended or time.time_ns()
        _recorder.record(span)


def is_recording() -> bool:
    """True in the work of a sampled trace, when the process records spans."""
    context = trace_context.current()
    return _recorder is not None and context is not None and context.sampled


@contextmanager
def span(
    name: str, kind: Kind = "internal", attributes: Mapping[str, str | int | float | bool] | None = None
) -> Iterator[None]:
    """A span around a block of this thread's work, below the present one. An exception is its error."""
    parent = trace_context.current()
    if _recorder is None or parent is None or not parent.sampled:
        yield
        return
    piece = Span(name, kind, parent.child(), attributes=dict(attributes or {}))
    try:
        with trace_context.continued(piece.context):
            yield
    except BaseException as error:
        piece.error = type(error).__name__
        raise
    finally:
        end(piece)
