"""The worker's loop: a connection that makes room for a new one may be readable in the same turn of the loop."""

import selectors
import socket
import time
from collections import deque

import pytest
from gunicorn.workers.gthread import ThreadWorker
from structlog.contextvars import bind_contextvars, get_contextvars

from libs.web.serving.request_buffer import RequestBuffer, RequestLimits
from libs.web.serving.worker import BufferingWorker


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
