"""Spans to a collector, by OpenTelemetry. Off unless an endpoint is set. The packages are an extra: requirements/otel.txt.

Spans wait in a bounded queue for a thread of OpenTelemetry's, so an unavailable collector costs no request and no event. What
does not fit is dropped. A warning says so, once a minute at most. A process that ends exports what is left, for three seconds.
"""

import atexit
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, cast

from libs.runtime.config import TraceConfig
from libs.runtime.logs import get_logger
from libs.runtime.telemetry import spans, trace_context
from libs.runtime.telemetry.spans import Span

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

log = get_logger(__name__)

QUEUE_SIZE = 2048
EXPORT_SECONDS = 5.0
WARNING_SECONDS = 60.0
CLOSE_SECONDS = 3.0
OTLP_PATH = "/v1/traces"


def sampler(ratio: float, key: bytes) -> Callable[[str], bool]:
    """Decides by the trace's id, alike in all services with this key. A client that does not know the key can't choose."""
    bound = round(ratio * 2**64)
    return lambda trace_id: int.from_bytes(blake2b(trace_id.encode(), key=key[:64], digest_size=8).digest()) < bound


def start_tracing(service: str, config: TraceConfig, key: bytes) -> None:
    """Record spans of this process, if the configuration names a collector. Call it after the fork.

    `key`: all services share it.
    """
    if not (config.otel_exporter_otlp_endpoint or config.otel_exporter_zipkin_endpoint):
        return
    try:
        recorder = OtelRecorder(service, make_exporter(config))
    except ImportError:
        log.warning("no traces: the packages of requirements/otel.txt are not installed")
        return
    trace_context.set_sampler(sampler(config.otel_traces_sampler_arg, key), trusts_clients=config.trace_trust)
    spans.set_recorder(recorder)
    atexit.register(recorder.close)
    log.info("tracing started", ratio=config.otel_traces_sampler_arg)


def make_exporter(config: TraceConfig) -> "SpanExporter":
    """The exporter to OTLP over HTTP, or to Zipkin. Raises ImportError without the extra."""
    if config.otel_exporter_otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(
            endpoint=str(config.otel_exporter_otlp_endpoint).rstrip("/") + OTLP_PATH, timeout=EXPORT_SECONDS
        )
    from opentelemetry.exporter.zipkin.json import ZipkinExporter

    return ZipkinExporter(endpoint=str(config.otel_exporter_zipkin_endpoint), timeout=int(EXPORT_SECONDS))


class OtelRecorder:
    """Gives spans to an exporter, from a thread of its own."""

    def __init__(self, service: str, exporter: "SpanExporter") -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it would log each failed export
        self._resource = Resource({"service.name": service, "service.namespace": "microshop"})
        self._outlet = _Quiet(exporter)
        self._processor = BatchSpanProcessor(
            cast("SpanExporter", self._outlet), max_queue_size=QUEUE_SIZE, export_timeout_millis=EXPORT_SECONDS * 1000
        )

    def record(self, span: Span) -> None:
        """Queue a span. It is dropped when the queue is full."""
        if self._outlet.has_room():
            self._processor.on_end(self._readable(span))

    def close(self) -> None:
        """Export what is queued, and end the thread. After three seconds the rest is dropped."""
        self._outlet.end_within(CLOSE_SECONDS)
        self._processor.shutdown()  # type: ignore[no-untyped-call]

    def _readable(self, span: Span) -> "ReadableSpan":
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

        def place(span_id: str) -> SpanContext:
            trace = int(span.context.trace_id, 16)
            return SpanContext(trace, int(span_id, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

        linked = span.linked
        return ReadableSpan(
            name=span.name,
            context=place(span.context.span_id),
            parent=place(span.context.parent_id) if span.context.parent_id else None,
            resource=self._resource,
            attributes=span.attributes,
            links=[Link(place(linked.span_id))] if linked else [],
            kind=SpanKind[span.kind.upper()],
            status=Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.UNSET),
            start_time=span.began,
            end_time=span.ended,
        )


class _Quiet:
    """An exporter whose failures are a warning a minute. It has the methods of a SpanExporter, a class of the extra."""

    def __init__(self, exporter: "SpanExporter") -> None:
        self._exporter, self._lock = exporter, threading.Lock()
        self._waiting, self._lost, self._warned_at, self._ends_at = 0, 0, -math.inf, math.inf

    def has_room(self) -> bool:
        """Reserve the place of a span in the queue. False when there is none: the span is lost."""
        with self._lock:
            room = self._waiting < QUEUE_SIZE
            self._waiting, self._lost = self._waiting + room, self._lost + (not room)
            return room

    def end_within(self, seconds: float) -> None:
        """Export nothing more that begins later than that."""
        self._ends_at = time.monotonic() + seconds

    def export(self, batch: Sequence["ReadableSpan"]) -> "SpanExportResult":
        from opentelemetry.sdk.trace.export import SpanExportResult

        result, reason = SpanExportResult.FAILURE, "the process ends"
        if time.monotonic() < self._ends_at:
            try:
                result, reason = self._exporter.export(batch), "the collector does not take them"
            except Exception as error:
                reason = type(error).__name__
        failed = result is not SpanExportResult.SUCCESS
        with self._lock:
            self._waiting -= len(batch)
            self._lost += len(batch) if failed else 0
        self._warn(reason if failed else "the collector is too slow")
        return result

    def _warn(self, reason: str) -> None:
        if self._lost and time.monotonic() - self._warned_at >= WARNING_SECONDS:
            with self._lock:
                lost, self._lost = self._lost, 0
            self._warned_at = time.monotonic()
            log.warning("spans lost", count=lost, reason=reason)

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 0) -> Any:
        return self._exporter.force_flush(timeout_millis)
