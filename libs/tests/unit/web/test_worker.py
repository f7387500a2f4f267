"""The worker: what its loop does with a connection, and what a thread does after a request."""

import logging
import selectors
import socket
import time
from collections import deque

import pytest
from gunicorn.workers.gthread import ThreadWorker
from structlog.contextvars import bind_contextvars, get_contextvars

from libs.web.serving.request_buffer import RequestBuffer, RequestLimits
from libs.web.serving.response_buffer import ResponseSocket
from libs.web.serving.worker import LINGER_SECONDS, BufferingWorker


class Connection:
    """gunicorn's connection."""

    def __init__(self, sock):
        self.sock, self.request, self.timeout = sock, None, time.monotonic()

    def set_timeout(self):
        self.timeout = time.monotonic() + 5

    def close(self):
        self.sock.close()


@pytest.fixture
def worker():
    """A worker with one connection, whose loop the test runs."""
    made = BufferingWorker.__new__(BufferingWorker)
    made.poller, made.keepalived_conns, made.nr_conns = selectors.DefaultSelector(), deque(), 1
    made._waiting, made._accepted, made.alive = {}, 0, True
    yield made
    made.poller.close()


@pytest.fixture
def pair():
    ours, client = socket.socketpair()
    yield ours, client
    ours.close()
    client.close()


def run_turn_after_room_was_made(worker, client):
    client.sendall(b"GET / HTTP/1.1\r\n")
    events = worker.poller.select(5)
    assert len(events) == 1
    worker._make_room()
    for key, _ in events:
        key.data(key.fileobj)


def test_a_connection_that_waits_and_is_closed_counts_once(worker, pair):
    ours, client = pair
    worker.enqueue_req(Connection(ours))
    run_turn_after_room_was_made(worker, client)
    assert (worker.nr_conns, worker._waiting) == (0, {})


def test_a_kept_connection_that_is_closed_does_not_end_the_worker(worker, pair):
    ours, client = pair
    connection = Connection(ours)
    connection.request = RequestBuffer(RequestLimits(), time.monotonic())
    worker._end(connection, keep=True)
    run_turn_after_room_was_made(worker, client)
    assert (worker.nr_conns, list(worker.keepalived_conns)) == (0, [])


class Deferred:
    """gunicorn's queue of calls for the loop."""

    def __init__(self):
        self.calls = []

    def defer(self, function, *args):
        self.calls.append((function.__name__, *args))


@pytest.fixture
def served(worker, pair):
    """A connection whose request a thread has served: the worker and the connection."""
    connection = Connection(ResponseSocket(pair[0], seconds=1, min_rate=1))
    connection.request = RequestBuffer(RequestLimits(), time.monotonic())
    worker.method_queue, worker.handle = Deferred(), lambda conn: True
    return worker, connection


def test_a_thread_itself_waits_for_the_next_request(served, pair):
    worker, connection = served
    worker._serve(connection)
    assert (worker.method_queue.calls, list(worker.keepalived_conns)) == ([], [connection])
    pair[1].sendall(b"x")
    assert [key.fileobj for key, _ in worker.poller.select(5)] == [connection.sock]


@pytest.mark.parametrize("what", ["ends", "fails", "exits", "has an unsent rest", "has the next request", "stops"])
def test_everything_else_is_left_to_the_loop(served, what):
    worker, connection = served
    errors = {"fails": ValueError, "exits": SystemExit}

    def handle(conn):
        if what in errors:
            raise errors[what]
        return what != "ends"

    worker.handle, worker.log = handle, logging.getLogger("test")
    worker.alive = what != "stops"
    if what == "has an unsent rest":
        connection.sock.unsent += b"x"
    if what == "has the next request":
        connection.request.rest = b"GET"
    worker._serve(connection)
    keeps = what not in ("ends", *errors)
    assert worker.method_queue.calls == [("_finish", connection, keeps)]
    assert not worker.keepalived_conns


def test_a_connection_that_the_loop_has_closed_does_not_end_the_thread(served):
    worker, connection = served
    connection.sock.close()
    worker._serve(connection)
    assert worker.method_queue.calls == []


def test_a_worker_that_stops_keeps_no_connection_for_long(served):
    worker, connection = served
    worker._keep(connection)
    assert connection.timeout > time.monotonic() + LINGER_SECONDS
    worker._cap_keepalive(time.monotonic() + LINGER_SECONDS)
    assert connection.timeout <= time.monotonic() + LINGER_SECONDS
    worker.poller.unregister(connection.sock)
    worker.alive = False
    worker._keep(connection)
    assert connection.timeout <= time.monotonic() + LINGER_SECONDS


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_thread_logs_after_its_request_carries_no_id(worker, monkeypatch, fails):
    def handle(_worker, _conn):
        bind_contextvars(request_id="of the request")
        if fails:
            raise OSError
        return "done"

    monkeypatch.setattr(ThreadWorker, "handle", handle)
    if fails:
        with pytest.raises(OSError):
            worker.handle(None)
    else:
        assert worker.handle(None) == "done"
    assert get_contextvars() == {}
