"""A gunicorn worker whose threads never wait for a client.

The worker's loop reads a request into memory, hands it to a thread when it is complete, and sends what a client has not read yet.
A client that is too slow gets 408 or a closed connection. docs/adr/0014, 0016 and 0032 have the reasons.
"""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from gunicorn.http import get_parser
from gunicorn.workers.gthread import ThreadWorker

from libs.runtime.garbage import keep_loaded
from libs.runtime.telemetry import trace_context
from libs.web.bodies import MAX_BODY_BYTES
from libs.web.serving.parsed_requests import require_fields, set_body
from libs.web.serving.refusals import refusal, status_of
from libs.web.serving.request_buffer import Refused, RequestBuffer, RequestLimits
from libs.web.serving.request_threads import RequestThreads
from libs.web.serving.response_buffer import ResponseSocket

BACKLOG_SECONDS = 5.0
ACCEPT_DELAY_SECONDS, MAX_DELAYS = 0.0002, 10  # per connection that is served or kept, and not waited for
READ_BYTES = 64 * 1024
LINGER_SECONDS = 2.0  # RFC 9112 9.6: the client reads the last response before the connection is reset
EXPIRY_SECONDS = 0.25
NOTIFY_SECONDS = 1.0  # gunicorn ends a worker that does not notify it for 60 s
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BufferingWorker(ThreadWorker):
    """A gthread worker. It shares connections evenly, and serves the socket's backlog before it stops.

    gunicorn's worker stops accepting, ends its requests and closes the socket. The kernel then resets the backlog's connections
    (measured: 1 of 500 requests in a rolling restart at 50/s). All workers share the backlog. Each worker empties it right
    before it closes its socket, so the last one leaves no connection in it.
    """

    limits = RequestLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[Any, tuple[float, Callable[[Any], None]]] = {}
        """Connections that the loop waits for: the deadline (monotonic seconds), and what happens then."""
        self._expired_at, self._notified_at, self._accepted = 0.0, 0.0, 0

    def get_thread_pool(self) -> Any:
        """gunicorn's hook."""
        return RequestThreads(self.cfg.threads, self._serve)

    def load_wsgi(self) -> None:
        """As in gunicorn. What is loaded by then is no work for the garbage collector."""
        super().load_wsgi()
        keep_loaded()

    def accept(self, listener: Any) -> None:
        """As in gunicorn, but later for each busy connection that the worker has, so the worker with the fewest is first.

        Without the delay the worker that wakes first accepts most of a burst, and keeps these connections (measured: 15 of 16
        in one of two workers, half the throughput).
        """
        if self.alive:
            time.sleep(min(self.nr_conns - len(self._waiting), MAX_DELAYS) * ACCEPT_DELAY_SECONDS)
        if self.nr_conns >= self.worker_connections - 1:
            self._make_room()
        super().accept(listener)

    def _make_room(self) -> None:
        """Close the connection that has been idle longest, or else the one that has waited longest."""
        if self.keepalived_conns:
            self.keepalived_conns[0].timeout = 0.0
            super().murder_keepalived()
        elif self._waiting:
            self._close(next(iter(self._waiting)))

    def enqueue_req(self, conn: Any) -> None:
        """Read the next request of `conn`. gunicorn calls it for a new connection, and when a kept one becomes readable."""
        if not isinstance(conn.sock, ResponseSocket):
            conn.sock = ResponseSocket(conn.sock, seconds=self.limits.seconds, min_rate=self.limits.min_rate)
            conn.request = None
            self._accepted += 1
        rest = conn.request.rest if conn.request else b""
        conn.request = RequestBuffer(self.limits, time.monotonic())
        if rest:
            self._feed(conn, bytes(rest))
        else:
            self._read(conn)

    def _read(self, conn: Any) -> None:
        try:
            data = conn.sock.receive(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            self._await_request(conn)
            return
        except OSError:
            data = b""
        if data:
            self._feed(conn, data)
        else:
            self._close(conn)

    def _feed(self, conn: Any, data: bytes) -> None:
        request: RequestBuffer = conn.request
        try:
            request.feed(data, time.monotonic())
        except Refused as refused:
            self._refuse(conn, refused.status)
            return
        if request.complete:
            self._dispatch(conn)
            return
        self._await_request(conn)
        if request.expects:
            request.expects = False
            conn.sock.sendall(CONTINUE)
            conn.sock.flush()

    def _await_request(self, conn: Any) -> None:
        """Wait for the rest of the request. Most requests are complete when the loop sees them, and need no wait."""
        if conn in self._waiting:
            self._waiting[conn] = (conn.request.deadline, self._give_up)
        else:
            self._wait(conn, EVENT_READ, self._read, conn.request.deadline, self._give_up)

    def _dispatch(self, conn: Any) -> None:
        """Hand the complete request to a thread, which reads it from memory."""
        self._stop_waiting(conn)
        conn.initialized = True
        conn.parser = get_parser(self.cfg, [conn.request.raw()], conn.client)
        self.tpool.submit(conn)

    def _serve(self, conn: Any) -> None:
        """Serve the request, in a thread. Then wait for the next one, unless there is work for the loop."""
        try:
            keep = bool(self.handle(conn))
        except BaseException:  # gunicorn handles all but SystemExit
            self.log.exception("request ended its thread")
            keep = False
        if keep and self.alive and not conn.sock.unsent and not conn.request.rest:
            with suppress(OSError, ValueError, KeyError):  # the loop has closed it to make room
                self._keep(conn)
        else:
            self.method_queue.defer(self._finish, conn, keep)

    def _keep(self, conn: Any) -> None:
        """Wait for the next request. Threads call it, too: all is set before the loop gets to know the connection."""
        conn.set_timeout()
        self.keepalived_conns.append(conn)
        if not self.alive:  # after the append, so either this or _cap_keepalive sets the timeout
            conn.timeout = min(conn.timeout, time.monotonic() + LINGER_SECONDS)
        self._register(conn, EVENT_READ, lambda conn: self.on_client_socket_readable(conn, conn.sock))

    def _cap_keepalive(self, deadline: float) -> None:
        """As in gunicorn, while threads may still add connections."""
        kept: list[Any] = list(self.keepalived_conns)
        for conn in kept:
            conn.timeout = min(conn.timeout, deadline)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """As in gunicorn. The application gets a chunked body as one with a length, and none that is too large."""
        req._expected_100_continue = False  # the loop has sent it
        require_fields(req)
        if conn.request.too_large:
            req.force_close()
            set_body(req, b"", MAX_BODY_BYTES + 1)
        elif conn.request.chunked:
            body = req.body.read()
            set_body(req, body, len(body))
        keep = super().handle_request(req, conn)
        conn.sock.flush()  # the head of a response without a body
        return keep

    def handle(self, conn: Any) -> Any:
        """As in gunicorn, in a thread. What the thread logs afterwards belongs to no request."""
        try:
            return super().handle(conn)
        finally:
            trace_context.forget()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer to a request that gunicorn's parser refuses, or at which it fails. gunicorn's own page repeats what was sent."""
        with suppress(OSError):
            client.sendall(refusal(status_of(exc)))

    def _finish(self, conn: Any, keep: bool) -> None:
        """End a request, in the loop. It first sends what the client has not read yet."""
        try:
            if conn.sock.flush():
                self._end(conn, keep)
            else:
                deadline = time.monotonic() + conn.sock.time_left()
                self._wait(conn, EVENT_WRITE, lambda c: self._flush(c, keep), deadline, self._close)
        except Exception:  # a broken connection, or a bug in the thread that gunicorn has logged
            self._close(conn)

    def _flush(self, conn: Any, keep: bool) -> None:
        try:
            if conn.sock.flush():
                self._stop_waiting(conn)
                self._end(conn, keep)
        except OSError:
            self._close(conn)

    def _end(self, conn: Any, keep: bool) -> None:
        """The response is sent: wait for the next request, or close."""
        if not keep:
            self._linger(conn)
        elif conn.request.rest:  # the next request is here already
            self.enqueue_req(conn)
        else:
            self._keep(conn)

    def _give_up(self, conn: Any) -> None:
        """The request has not arrived in time."""
        if conn.request.started:
            self._refuse(conn, 408)
        else:
            self._close(conn)

    def _refuse(self, conn: Any, status: int) -> None:
        """Answer without the application, and close."""
        try:
            conn.sock.sendall(refusal(status))
        except OSError:
            self._close(conn)
            return
        self._linger(conn)

    def _linger(self, conn: Any) -> None:
        """Close our side, and read until the client closes its own. A reset would take the response from the client."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        self._wait(conn, EVENT_READ, self._drain, time.monotonic() + LINGER_SECONDS, self._close)
        self._drain(conn)

    def _drain(self, conn: Any) -> None:
        try:
            ended = not conn.sock.receive(READ_BYTES)
        except OSError as error:
            ended = not isinstance(error, BlockingIOError | InterruptedError)
        if ended:
            self._close(conn)

    def _wait(
        self, conn: Any, event: int, ready: Callable[[Any], None], deadline: float, late: Callable[[Any], None]
    ) -> None:
        self._stop_waiting(conn)
        self._waiting[conn] = (deadline, late)
        self._register(conn, event, ready)

    def _register(self, conn: Any, event: int, ready: Callable[[Any], None]) -> None:
        """Call `ready` when the socket is ready, unless an earlier event of the same turn has closed it to make room."""
        self.poller.register(conn.sock, event, lambda sock: ready(conn) if sock.fileno() >= 0 else None)

    def _stop_waiting(self, conn: Any) -> None:
        if self._waiting.pop(conn, None):
            self.poller.unregister(conn.sock)

    def _close(self, conn: Any) -> None:
        self._stop_waiting(conn)
        self.nr_conns -= 1
        conn.close()

    def notify(self) -> None:
        """As in gunicorn, which calls it in each turn of the loop, but once a second: it is a call to the file system."""
        if (now := time.monotonic()) - self._notified_at >= NOTIFY_SECONDS:
            self._notified_at = now
            super().notify()

    def wait_for_and_dispatch_events(self, timeout: float | None) -> None:
        """As in gunicorn. Then close what is late. A worker that stops waits LINGER_SECONDS for what has sent nothing."""
        super().wait_for_and_dispatch_events(timeout)
        if (now := time.monotonic()) - self._expired_at < EXPIRY_SECONDS:
            return
        self._expired_at = now
        for conn, (deadline, late) in list(self._waiting.items()):
            stops = not self.alive and not conn.request.started
            if deadline - (self.limits.seconds - LINGER_SECONDS if stops else 0) <= now:
                late(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        """As in gunicorn. With `force`, which gunicorn uses once at the end, it first serves the backlog."""
        super().murder_keepalived(force)  # type: ignore[call-arg] # the stubs are older than gunicorn 27
        if force:
            for listener in self.sockets:
                before = -1
                while before < (before := self._accepted):
                    self.accept(listener)
                listener.close()
            end = time.monotonic() + BACKLOG_SECONDS
            while self.nr_conns > 0 and time.monotonic() < end:
                self.wait_for_and_dispatch_events(timeout=0.1)
                super().murder_keepalived(force)  # type: ignore[call-arg] # the stubs are older than gunicorn 27
