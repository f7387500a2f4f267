"""Calls to other services: what may go wrong over there, and that each ends in time."""

import socket
import threading
import time

import pytest

from libs.runtime.http_client import MAX_ANSWER_BYTES, NoAnswer, call, call_in_turn, deadline
from order_service.tests.integration.neighbours import serving


@pytest.fixture
def listener():
    """A socket that takes connections: what it does with them is the test's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def address_of(server):
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def soon():
    return time.monotonic() + 0.3


def ask(base, until=None, **more):
    return call(base, "GET", "/x", until=until or deadline(), **more)


def test_an_answer_is_its_status_and_its_object():
    for body in ({"a": 1}, None, [1], "x"):
        with serving(lambda asked, body=body: (418, body)) as base:
            assert ask(base) == (418, body if isinstance(body, dict) else {})


def test_a_redirect_is_an_answer_and_no_proxy_is_asked(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving(lambda asked: (302, {"path": asked.path})) as base:
        assert ask(f"{base}below/") == (302, {"path": "/below/x"})


def test_a_server_that_is_not_there_has_not_got_the_request():
    with pytest.raises(NoAnswer) as none:
        ask("http://127.0.0.1:1")
    assert not none.value.sent


def test_a_silent_server_is_given_up_in_time(listener):
    with pytest.raises(NoAnswer) as none:
        ask(address_of(listener), soon())
    assert none.value.sent


def test_an_answer_that_trickles_in_is_cut_off(listener):
    stop = threading.Event()

    def trickle():
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            try:
                while not stop.wait(0.02):
                    peer.sendall(b" ")
            except OSError:
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    with pytest.raises(NoAnswer):
        ask(address_of(listener), soon())
    stop.set()
    thread.join()


@pytest.mark.parametrize(
    "raw",
    [
        b"not http\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnot json!",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    ],
)
def test_what_can_not_be_read_is_no_answer(listener, raw):
    def speak():
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(raw)

    thread = threading.Thread(target=speak)
    thread.start()
    with pytest.raises(NoAnswer):
        ask(address_of(listener))
    thread.join()


def test_an_endless_answer_is_not_read_to_its_end():
    with serving(lambda asked: (200, {"a": "x" * MAX_ANSWER_BYTES})) as base, pytest.raises(NoAnswer):
        ask(base)


def test_a_third_request_does_not_wait_for_two_that_hang():
    inside, go_on = threading.Semaphore(0), threading.Event()
    with serving(lambda asked: (inside.release(), go_on.wait(10), (200, {}))[-1]) as base:
        hanging = [
            threading.Thread(target=call_in_turn, args=(base, "GET", "/"), kwargs={"until": deadline()}) for _ in "ab"
        ]
        for thread in hanging:
            thread.start()
        assert all(inside.acquire(timeout=10) for _ in hanging)
        with pytest.raises(NoAnswer) as none:
            call_in_turn(base, "POST", "/", until=deadline())
        assert not none.value.sent
        go_on.set()
        for thread in hanging:
            thread.join()
        assert call_in_turn(base, "GET", "/", until=deadline()) == (200, {})
