"""Calls to the other services. Each is bounded in time and size; no redirect is followed and no proxy asked, for what is sent may
be a password or a token.

At most two requests of a process wait for other services at once: a third that hangs would open the breaker (docs/adr/0015), and
orders do not need those services.
"""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson
from structlog.contextvars import get_contextvars

from libs.runtime.logs import get_logger

log = get_logger(__name__)

SECONDS = 4.0  # for all calls that one page makes: user_service queues a login for 3 s at most
TURN_SECONDS = 0.3  # well under the second after which the breaker takes a request for a hanging one
MAX_ANSWER_BYTES = 1024 * 1024  # a page of 20 products with the longest descriptions is half of it

_turns = threading.BoundedSemaphore(2)


class NoAnswer(Exception):
    """There was no answer in time, or none that can be read; `sent`: the service may have acted on the request."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__()
        self.sent = sent


class Answer(NamedTuple):
    """Status and JSON object; an empty one when there is no body."""

    status: int
    body: dict[str, Any]


def deadline() -> float:
    """By when a page that begins now has asked everything, by time.monotonic()."""
    return time.monotonic() + SECONDS


def call_in_turn(
    base: str,
    method: str,
    path: str,
    *,
    until: float,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """As `call`, for a thread that answers a request. Raises NoAnswer, also when two others wait already."""
    if not _turns.acquire(timeout=TURN_SECONDS):
        log.warning("not asked: two requests wait for other services already")
        raise NoAnswer(sent=False)
    try:
        return call(base, method, path, until=until, body=body, headers=headers)
    finally:
        _turns.release()


def call(
    base: str,
    method: str,
    path: str,
    *,
    until: float,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The answer of the service at `base`, which came until then by time.monotonic(). Raises NoAnswer."""
    place, sent = urlsplit(base), False
    kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
    connection = kind(place.hostname or "", place.port, timeout=max(0.01, until - time.monotonic()))
    try:
        connection.connect()
        with _cut_at(until, connection.sock):
            sent = True
            raw_body = None if body is None else orjson.dumps(body)
            connection.request(method, place.path.rstrip("/") + path, raw_body, _headers(headers or {}))
            answer = connection.getresponse()
            raw = answer.read(MAX_ANSWER_BYTES + 1)
            if answer.length:  # it was cut short: read() says nothing of that
                raise ValueError
            return Answer(answer.status, _read(answer.status, raw))
    except (OSError, HTTPException, ValueError) as error:
        log.warning("a service does not answer", host=place.hostname, port=place.port, reason=type(error).__name__)
        raise NoAnswer(sent=sent) from error
    finally:
        connection.close()


def _headers(more: Mapping[str, str]) -> dict[str, str]:
    """Of a call; it is logged over there under the id of the request that it is made for."""
    request_id = str(get_contextvars().get("request_id", ""))
    told = {"X-Request-ID": request_id} if request_id else {}
    return {"Content-Type": "application/json", "Accept": "application/json", **told, **more}


def _read(status: int, raw: bytes) -> dict[str, Any]:
    """Raises ValueError, also for a success that is no object: nothing here asks for anything else."""
    if len(raw) > MAX_ANSWER_BYTES:
        raise ValueError
    found = orjson.loads(raw) if raw else {}
    if status in (200, 201) and (not raw or not isinstance(found, dict)):
        raise ValueError
    return found if isinstance(found, dict) else {}


@contextmanager
def _cut_at(until: float, connected: socket.socket) -> Iterator[None]:
    """Ends a connection at a time: a socket's own time limit begins anew with each byte that trickles in."""
    timer = threading.Timer(max(0.0, until - time.monotonic()), _cut, [connected])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(connected: socket.socket) -> None:
    with suppress(OSError):  # closed meanwhile
        connected.shutdown(socket.SHUT_RDWR)
