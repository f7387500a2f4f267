"""HTTP calls with JSON bodies to other services, bounded in time, size and number.

A call has one deadline for name look-up, connection, TLS handshake, request and response. It follows no redirect and uses no
proxy, because it may carry a password or a token. docs/adr/0031 has the reasons.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

import orjson
from structlog.contextvars import get_contextvars

from libs.runtime.logs import get_logger
from libs.runtime.telemetry import spans, trace_context
from libs.runtime.telemetry.trace_context import TRACEPARENT

log = get_logger(__name__)

TIMEOUT_SECONDS = 4.0  # the default for all calls of one request; a login waits in its service for up to 3 s
# Calls of a process in `call_limited`. A third slow request would open the circuit breaker (docs/adr/0015).
MAX_CONCURRENT = 2
SLOT_WAIT_SECONDS = 0.3  # well below 1 s, after which the circuit breaker counts a request as slow
MAX_RESPONSE_BYTES = 1024 * 1024  # twice the largest page of a list

_slots = threading.BoundedSemaphore(MAX_CONCURRENT)


class NoResponse(Exception):
    """No readable response arrived before the deadline. `sent` is True when the service may have acted on the request."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__()
        self.sent = sent


class HttpResponse(NamedTuple):
    """Status and JSON object of a response. The object is empty when the body is empty or holds no object."""

    status: int
    body: dict[str, Any]


def deadline(seconds: float = TIMEOUT_SECONDS) -> float:
    """The moment, by time.monotonic(), at which calls that start now have to be complete."""
    return time.monotonic() + seconds


def call_limited(
    base: str,
    method: str,
    path: str,
    *,
    until: float,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Do `call` in one of MAX_CONCURRENT slots. Raises NoResponse, also when no slot is free within SLOT_WAIT_SECONDS."""
    if not _slots.acquire(timeout=SLOT_WAIT_SECONDS):
        log.warning("call skipped: all slots in use", slots=MAX_CONCURRENT)
        raise NoResponse(sent=False)
    try:
        return call(base, method, path, until=until, body=body, headers=headers)
    finally:
        _slots.release()


def call(
    base: str,
    method: str,
    path: str,
    *,
    until: float,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_RESPONSE_BYTES,
) -> HttpResponse:
    """Send a request to the service at `base` and return its response, of at most `max_bytes`.

    `until` is the deadline by time.monotonic(). Raises NoResponse.
    """
    url, attributes = urlsplit(base), {"http.request.method": method, "server.address": urlsplit(base).hostname or ""}
    with spans.span(method, "client", attributes):
        return _call(url, method, path, until=until, body=body, headers=headers or {}, max_bytes=max_bytes)


def _call(
    url: SplitResult,
    method: str,
    path: str,
    *,
    until: float,
    body: Mapping[str, Any] | None,
    headers: Mapping[str, str],
    max_bytes: int,
) -> HttpResponse:
    sent = False
    make = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = make(url.hostname or "", url.port)
    try:
        connection.sock = _connect(url, connection.port, until)
        with _cut_at(until, connection.sock):
            sent = True
            raw_body = None if body is None else orjson.dumps(body)
            connection.request(method, url.path.rstrip("/") + path, raw_body, _headers(headers))
            response = connection.getresponse()
            raw = response.read(max_bytes + 1)
            if len(raw) > max_bytes or response.length:  # read() does not report a body that was cut short
                raise ValueError
            return HttpResponse(response.status, _parse(response.status, raw))
    except (OSError, HTTPException, ValueError) as error:
        log.warning("no response from a service", host=url.hostname, port=url.port, reason=type(error).__name__)
        raise NoResponse(sent=sent) from error
    finally:
        connection.close()


def _connect(url: SplitResult, port: int, until: float) -> socket.socket:
    """A connected socket, with TLS for https. Raises OSError when no address accepts before the deadline."""
    error: OSError = TimeoutError()
    for family, address in _look_up(url.hostname or "", port, until):
        connected = socket.socket(family, socket.SOCK_STREAM)
        try:
            connected.settimeout(_left(until))
            connected.connect(address)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if url.scheme == "https":
                connected.settimeout(_left(until))  # bounds the whole handshake
                return ssl.create_default_context().wrap_socket(connected, server_hostname=url.hostname)
            return connected
        except OSError as failure:
            connected.close()
            error = failure
    raise error


def _look_up(host: str, port: int, until: float) -> list[tuple[socket.AddressFamily, Any]]:
    """The addresses of a host. Raises OSError.

    getaddrinfo() has no timeout. It runs in a thread of its own, which ends by the resolver's limits after the deadline.
    """
    found: queue.SimpleQueue[list[tuple[socket.AddressFamily, Any]] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            found.put(error)
        else:
            found.put([(family, address) for family, _, _, _, address in rows])

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    try:
        result = found.get(timeout=_left(until))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(result, OSError):
        raise result
    return result


def _left(until: float) -> float:
    """The seconds before the deadline. Raises TimeoutError when it has passed."""
    if (left := until - time.monotonic()) <= 0:
        raise TimeoutError
    return left


def _headers(more: Mapping[str, str]) -> dict[str, str]:
    """The request's headers. The service logs the call under the request's id and the trace that it belongs to."""
    request_id = str(get_contextvars().get("request_id", ""))
    correlation = {"X-Request-ID": request_id} if request_id else {}
    if context := trace_context.current():
        correlation[TRACEPARENT] = context.traceparent
    return {"Content-Type": "application/json", "Accept": "application/json", **correlation, **more}


def _parse(status: int, raw: bytes) -> dict[str, Any]:
    """The body as an object. Raises ValueError for no JSON, and for a 200 or 201 that holds no object."""
    found = orjson.loads(raw) if raw else {}
    if status in (200, 201) and (not raw or not isinstance(found, dict)):
        raise ValueError
    return found if isinstance(found, dict) else {}


@contextmanager
def _cut_at(until: float, connected: socket.socket) -> Iterator[None]:
    """Shut a connection down at the deadline: a socket's own timeout starts again with each byte."""
    connected.settimeout(_left(until))
    timer = threading.Timer(_left(until), _shut_down, [connected])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut_down(connected: socket.socket) -> None:
    with suppress(OSError):  # already closed
        connected.shutdown(socket.SHUT_RDWR)
