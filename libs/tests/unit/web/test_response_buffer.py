"""A client's socket: what is sent at once, and what waits."""

import socket

import pytest

from libs.web.serving.response_buffer import ResponseSocket

HEAD, BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"{}"


@pytest.fixture
def pair():
    ours, client = socket.socketpair()
    client.setblocking(False)
    yield ResponseSocket(ours, seconds=1.0, min_rate=1024), client
    ours.close()
    client.close()


def received(client):
    try:
        return client.recv(65_536)
    except BlockingIOError:
        return b""


def test_the_head_waits_for_the_body(pair):
    sock, client = pair
    sock.sendall(HEAD)
    assert received(client) == b""
    sock.sendall(BODY)
    assert received(client) == HEAD + BODY


def test_a_head_without_a_body_is_sent_by_flush(pair):
    sock, client = pair
    sock.sendall(HEAD)
    assert sock.flush()
    assert received(client) == HEAD


@pytest.mark.parametrize("part", [b"8\r\na,b\r\nc,d\r\n\r\n", b"0\r\n\r\n"])
def test_the_parts_of_a_stream_do_not_wait(pair, part):
    sock, client = pair
    sock.sendall(HEAD)
    sock.sendall(BODY)
    received(client)
    sock.sendall(part)
    assert received(client) == part


def test_what_was_held_is_sent_before_the_next_part(pair):
    sock, client = pair
    sock.sendall(HEAD)
    sock.sendall(HEAD)
    assert received(client) == HEAD + HEAD


def test_nothing_waits_for_data_that_is_not_there(pair):
    sock, client = pair
    sock.setblocking(True)
    with pytest.raises(BlockingIOError):
        sock.receive(10)
    client.sendall(b"GET")
    assert sock.receive(10) == b"GET"
