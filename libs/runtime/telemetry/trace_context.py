"""The trace of the work at hand: one id from a request to the last effect of its events (W3C Trace Context).

A thread that answers a request or handles an event has a context. Each log line of that work has its `trace_id`, each event that
is stored has it as the header `traceparent`, and so has each call of another service.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars

from libs.values.random_ids import random_hex

TRACEPARENT = "traceparent"
MAX_LENGTH = 512  # of a header of a later version, which may be longer than that of version 00
SAMPLED = 1  # a bit of the flags
FORM = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<span>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
    r"(?P<more>-.*)?"
)


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A trace and a place in it. `trace_id`: 32 hex digits. `span_id`, `parent_id`: 16 hex digits."""

    trace_id: str
    span_id: str
    sampled: bool = False
    parent_id: str | None = field(default=None, compare=False)

    @property
    def traceparent(self) -> str:
        """The header, in version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def child(self) -> "TraceContext":
        """A place of its own below this one."""
        return TraceContext(self.trace_id, random_hex(8), self.sampled, self.span_id)


def _never(_trace_id: str) -> bool:
    return False


_samples: Callable[[str], bool] = _never
_trusts_clients = False
_current: ContextVar[TraceContext | None] = ContextVar("trace_context", default=None)


def set_sampler(samples: Callable[[str], bool], *, trusts_clients: bool) -> None:
    """Decide by `samples` whether the trace of a request is sampled. `trusts_clients`: take the flag that a client sends."""
    global _samples, _trusts_clients
    _samples, _trusts_clients = samples, trusts_clients


def parse(text: str) -> TraceContext | None:
    """The context in a header; None when the header is malformed. Of a later version, the parts of version 00 are read."""
    found = FORM.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if found is None or (found["version"] == "00" and found["more"]):
        return None
    return TraceContext(found["trace"], found["span"], sampled=bool(int(found["flags"], 16) & SAMPLED))


def new() -> TraceContext:
    """The beginning of a new trace."""
    trace_id = random_hex(16)
    return TraceContext(trace_id, random_hex(8), _samples(trace_id))


def current() -> TraceContext | None:
    """The context of this thread's work; None outside of a request and of an event."""
    return _current.get()


def current_or_new() -> TraceContext:
    """The context of this thread's work, or that of a new trace."""
    return _current.get() or new()


def begin_request(sent: str) -> TraceContext:
    """Begin the work of a request in this thread. `sent`: its header, which is ignored when it is malformed.

    The client chooses the trace's id. It does not choose whether the trace is sampled, unless clients are trusted.
    """
    if came := parse(sent):
        sampled = came.sampled if _trusts_clients else _samples(came.trace_id)
        context = TraceContext(came.trace_id, random_hex(8), sampled, came.span_id)
    else:
        context = new()
    _current.set(context)
    bind_contextvars(trace_id=context.trace_id)
    return context


def forget() -> None:
    """The work of this thread is over. Later log lines have no id of it."""
    _current.set(None)
    clear_contextvars()


@contextmanager
def continued(context: TraceContext, **ids: str) -> Iterator[None]:
    """Continue a trace in this block. Its log lines also have `ids`."""
    token = _current.set(context)
    try:
        with bound_contextvars(trace_id=context.trace_id, **ids):
            yield
    finally:
        _current.reset(token)
