"""Calls to other services: what may fail there, and that each call ends at its deadline."""

import socket
import threading
import time

import pytest

from libs.runtime import http_client
from libs.runtime.http_client import MAX_RESPONSE_BYTES, NoResponse, call, call_limited, deadline
from libs.tests.integration.http_server import serving


@pytest.fixture
def listener():
    """A socket that accepts connections. The test decides what it does with them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)  # on a busy machine the deadline may pass before the client connects
        yield server


def accept(server):
    """The next connection; None when the client gave up before it connected."""
    try:
        return server.accept()[0]
    except TimeoutError:
        return None


def address_of(server, scheme="http"):
    return f"{scheme}://127.0.0.1:{server.getsockname()[1]}"


def soon():
    return deadline(0.3)


def get(base, until=None, **more):
    return call(base, "GET", "/x", until=until or deadline(), **more)


def test_a_response_is_its_status_and_its_object():
    for body in ({"a": 1}, None, [1], "x"):
        with serving(lambda asked, body=body: (418, body)) as base:
            assert get(base) == (418, body if isinstance(body, dict) else {})


def test_a_redirect_is_returned_and_no_proxy_is_used(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving(lambda asked: (302, {"path": asked.path})) as base:
        assert get(f"{base}below/") == (302, {"path": "/below/x"})


def test_a_server_that_does_not_listen_has_not_received_the_request():
    with pytest.raises(NoResponse) as none:
        get("http://127.0.0.1:1")
    assert not none.value.sent


def test_a_call_to_a_silent_server_ends_at_its_deadline(listener):
    with pytest.raises(NoResponse) as none:
        get(address_of(listener), soon())
    assert none.value.sent


def test_a_slow_name_look_up_ends_at_the_deadline(monkeypatch):
    resolved = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved.wait(10) and [])
    began = time.monotonic()
    with pytest.raises(NoResponse) as none:
        get("http://service.test", soon())
    assert time.monotonic() - began < 5
    assert not none.value.sent
    resolved.set()


def test_an_unknown_host_is_no_response(monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(NoResponse) as none:
        get("http://service.test")
    assert not none.value.sent


def test_a_host_with_several_addresses_is_called_at_the_first_that_accepts(monkeypatch):
    with serving(lambda asked: (200, {"a": 1})) as base:
        port = int(base.rstrip("/").rpartition(":")[2])
        rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", to)) for to in (1, port)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
        assert get("http://service.test") == (200, {"a": 1})


def test_a_tls_handshake_that_trickles_in_ends_at_the_deadline(listener):
    stop = threading.Event()

    def trickle():
        peer = accept(listener)
        if peer is None:
            return
        with peer:
            peer.sendall(b"\x16\x03\x03\x40\x00")  # the head of a handshake record of 16 KiB
            try:
                while not stop.wait(0.02):
                    peer.sendall(b"\x02")
            except OSError:
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    began = time.monotonic()
    with pytest.raises(NoResponse) as none:
        get(address_of(listener, "https"), soon())
    assert time.monotonic() - began < 5
    assert not none.value.sent
    stop.set()
    thread.join()


def test_a_response_that_trickles_in_ends_at_the_deadline(listener):
    stop = threading.Event()

    def trickle():
        peer = accept(listener)
        if peer is None:
            return
        with peer:
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            try:
                while not stop.wait(0.02):
                    peer.sendall(b" ")
            except OSError:
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    with pytest.raises(NoResponse):
        get(address_of(listener), soon())
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
def test_bytes_that_can_not_be_read_are_no_response(listener, raw):
    def speak():
        peer = accept(listener)
        if peer is None:
            return
        with peer:
            peer.recv(65536)
            peer.sendall(raw)

    thread = threading.Thread(target=speak)
    thread.start()
    with pytest.raises(NoResponse):
        get(address_of(listener))
    thread.join()


def test_a_response_that_is_too_large_is_not_read_to_its_end():
    with serving(lambda asked: (200, {"a": "x" * MAX_RESPONSE_BYTES})) as base:
        with pytest.raises(NoResponse):
            get(base)
        assert get(base, max_bytes=2 * MAX_RESPONSE_BYTES).status == 200


def test_a_third_request_does_not_wait_for_two_that_hang():
    inside, go_on = threading.Semaphore(0), threading.Event()
    with serving(lambda asked: (inside.release(), go_on.wait(10), (200, {}))[-1]) as base:
        hanging = [
            threading.Thread(target=call_limited, args=(base, "GET", "/"), kwargs={"until": deadline()})
            for _ in range(http_client.MAX_CONCURRENT)
        ]
        for thread in hanging:
            thread.start()
        assert all(inside.acquire(timeout=10) for _ in hanging)
        with pytest.raises(NoResponse) as none:
            call_limited(base, "POST", "/", until=deadline())
        assert not none.value.sent
        go_on.set()
        for thread in hanging:
            thread.join()
        assert call_limited(base, "GET", "/", until=deadline()) == (200, {})
