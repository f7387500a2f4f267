"""Clients that send or read slowly: they hold up no other client, and get 408 or a closed connection."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from select import select

import pytest

from deploy.local.state import ROOT
from tests.free_ports import pick_free

HEAD = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
MAX = 64 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Server:
    """The service of echo_service.py in a process of its own: two threads for each worker."""

    def __init__(self, tmp_path, workers=1, **env):
        self.port, self.tmp = pick_free(1)[0], tmp_path
        argv = [sys.executable, "-m", "libs.tests.integration.web.serve_echo", str(self.port), str(workers)]
        env = {**os.environ, "TMPDIR": str(tmp_path), "REQUEST_SECONDS": "2", **env}
        self.process = subprocess.Popen(argv, cwd=ROOT, env=env)

    def wait(self):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                return self.get("/health/live")
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the server does not start")

    def connect(self, data=b"", receive=None):
        client = socket.socket()
        if receive:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        client.connect(("127.0.0.1", self.port))
        client.settimeout(15)
        client.sendall(data)
        return client

    def get(self, path, timeout=10):
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            client.request("GET", path)
            answer = client.getresponse()
            answer.read()
            return answer.status
        finally:
            client.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


def read_all(client):
    data = b""
    while piece := client.recv(65536):
        data += piece
    return data


def answers(client, count):
    """The status codes of that many answers on one connection."""
    file, found = client.makefile("rb"), []
    for _ in range(count):
        found.append(int(file.readline().split()[1]))
        length = 0
        while (line := file.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        body = file.read(length)
    return found, body


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    server.wait()
    yield server
    assert server.stop() == 0


SLOW = {
    "no byte": b"",
    "half a head": b"GET /health HTTP/1.1\r\nHost: x\r\n",
    "a byte of a body": HEAD + b"Content-Length: 50\r\n\r\n{",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{",
    "half a size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nf",
    "half a trailer": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nX: y\r\n",
    "a body after 100": HEAD + b"Content-Length: 50\r\nExpect: 100-continue\r\n\r\n",
}


@pytest.mark.parametrize("kind", SLOW)
def test_a_slow_request_delays_no_other_and_ends(server, kind):
    with ExitStack() as stack:
        slow = [stack.enter_context(server.connect(SLOW[kind])) for _ in range(20)]
        assert server.get("/health/live", timeout=20) == 200
        got = [client.recv(MAX, socket.MSG_PEEK) for client in select(slow, [], [], 0)[0]]
        assert set(got) <= {CONTINUE}, "it came after the slow ones"
        got = read_all(slow[0])
    got = got.removeprefix(CONTINUE)
    if not SLOW[kind]:
        assert got == b""
        return
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"application/problem+json" in head
    assert json.loads(body)["code"] == "request-timeout"


@pytest.mark.parametrize("data", [b"", b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_more_connections_than_a_worker_takes_delay_no_request(server, data):
    with ExitStack() as stack:
        for _ in range(930):
            stack.enter_context(server.connect(data))
        assert server.get("/health/live", timeout=20) == 200  # it comes after the others
        assert server.get("/health/live", timeout=5) == 200


def test_a_byte_at_a_time_does_not_move_the_deadline(server):
    with server.connect(HEAD + b"Content-Length: 50\r\n\r\n") as client:
        began = time.monotonic()
        client.settimeout(0.2)
        while time.monotonic() - began < 6:
            try:
                client.sendall(b" ")
                if client.recv(12):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        assert 1.5 < time.monotonic() - began < 5.5


def test_a_large_body_has_the_time_of_its_length(tmp_path):
    server = Server(tmp_path, REQUEST_SECONDS="1", REQUEST_MIN_RATE="10000")
    try:
        server.wait()
        for head, piece in (
            (b"Content-Length: 20000\r\n\r\n", b"%s"),
            (b"Transfer-Encoding: chunked\r\n\r\n", b"2710\r\n%s\r\n"),
        ):
            with server.connect(HEAD + head) as client:
                for _ in range(2):
                    client.sendall(piece % (b" " * 10_000))
                    time.sleep(0.7)
                client.sendall(b"0\r\n\r\n" if b"chunked" in head else b"")
                statuses, body = answers(client, 1)
            assert (statuses, json.loads(body)["bytes"]) == ([200], 20_000)
    finally:
        server.stop()


@pytest.mark.parametrize(
    "piece", [b"1;" + b"x" * 500 + b"\r\na\r\n", b"1\r\na\r\n"], ids=["extensions", "small chunks"]
)
def test_what_frames_a_body_does_not_hold_a_connection(tmp_path, piece):
    server = Server(tmp_path, REQUEST_SECONDS="1", REQUEST_MIN_RATE="1000")
    try:
        server.wait()
        with server.connect(HEAD + b"Transfer-Encoding: chunked\r\n\r\n") as client:
            client.settimeout(0.4)
            got, began = b"", time.monotonic()
            while not got and time.monotonic() - began < 60:
                try:
                    client.sendall(piece)
                    got = client.recv(MAX)
                except TimeoutError:
                    continue
        assert got.startswith(b"HTTP/1.1 408")
    finally:
        server.stop()


def test_the_server_itself_has_options(server):
    with server.connect(b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as client:
        head = read_all(client)
    assert head.startswith(b"HTTP/1.1 204")
    assert b"\r\nAllow: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT\r\n" in head


def chunks(*sizes):
    return b"".join(b"%x\r\n%s\r\n" % (size, b" " * size) for size in sizes) + b"0\r\n\r\n"


@pytest.mark.parametrize("sizes", [(), (1,), (3, 4), (MAX,), (MAX // 2, MAX // 2), (1,) * 5000])
def test_a_chunked_body_is_taken_whole(server, sizes):
    with server.connect(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks(*sizes)) as client:
        statuses, body = answers(client, 1)
    assert statuses == [200]
    assert json.loads(body) == {"bytes": sum(sizes), "coding": None}


@pytest.mark.parametrize("sizes", [(MAX + 1,), (2, 70_000, 1), (MAX, 1), (10_000,) * 7])
@pytest.mark.parametrize("path", [b"/echo", b"/ignore"])
def test_a_chunked_body_over_the_limit_is_413(server, sizes, path):
    head = HEAD.replace(b"/echo", path)
    with server.connect(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks(*sizes)) as client:
        got = read_all(client)
    assert got.startswith((b"HTTP/1.1 413", b"HTTP/1.1 200") if path == b"/ignore" else b"HTTP/1.1 413")
    assert b"connection: close" in got.lower()


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n",
        b"-1\r\n",
        b"+1\r\n{\r\n",
        b"0x1\r\n{\r\n",
        b"1\r\n{}\r\n",
        b"1;\x00" + b"a" * 2000,
        b"fffffffff\r\n",
        b"\r\n",
    ],
)
def test_malformed_chunks_are_400(server, body):
    with server.connect(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body) as client:
        assert read_all(client).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "fields",
    [
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 3\r\nContent-Length: 4\r\n",
        b"Content-Length: -1\r\n",
    ],
)
def test_framing_that_is_not_valid_is_refused_at_once(server, fields):
    with server.connect(HEAD + fields + b"\r\n0\r\n\r\n") as client:
        assert int(read_all(client).split()[1]) in (400, 501)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /x EVIL/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /x HTTP/6.6EVIL\r\nHost: x\r\n\r\n", 400),
        (b"G@T<EVIL> /x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"EVIL\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nEVIL\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nX EVIL: y\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nX: y\r\n EVIL\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nContent-Length: EVIL\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nExpect: EVIL\r\n\r\n", 417),
        (b"GET /x HTTP/1.1\r\nTransfer-Encoding: EVIL\r\n\r\n", 501),
        (b"GET /" + b"EVIL" * 1200 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /x HTTP/1.1\r\n" + b"X: EVIL\r\n" * 150 + b"\r\n", 431),
        (b"GET /health/live?EVIL HTTP/1.1\r\n\r\n", 400),  # RFC 9112 3.2: no Host
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nHost: EVIL\r\n\r\n", 400),
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nIdempotency-Key: EVIL\r\nidempotency-key: EVIL\r\n\r\n", 400),
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nAuthorization: EVIL\r\nAuthorization: EVIL\r\n\r\n", 400),
    ],
)
def test_what_the_parser_refuses_is_a_problem_that_repeats_nothing(server, data, status):
    with server.connect(data) as client:
        head, _, body = read_all(client).partition(b"\r\n\r\n")
    assert b"EVIL" not in head + body
    assert (int(head.split()[1]), json.loads(body)["status"]) == (status, status)
    for field in (
        b"\r\nContent-Type: application/problem+json",
        b"\r\nX-Request-ID: ",
        b"\r\nContent-Security-Policy: ",
    ):
        assert field in head
    assert server.get("/health/live") == 200


def test_a_client_of_http_1_0_needs_no_host(server):
    with server.connect(b"GET /health/live HTTP/1.0\r\n\r\n") as client:
        assert read_all(client).split()[1] == b"200"


@pytest.mark.parametrize(
    "fields",
    [
        b"SCRIPT_NAME: /elsewhere\r\n",
        b"SCRIPT_NAME: /health\r\n",
        b"PATH_INFO: /elsewhere\r\n",
        b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on\r\nX-Forwarded-Protocol: ssl\r\n",
        b"X-Forwarded-Proto: http\r\nX-Forwarded-Ssl: on\r\n",
    ],
)
def test_no_header_of_a_client_changes_path_or_scheme(server, fields):
    with server.connect(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + b"\r\n") as client:
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"Strict-Transport-Security" not in answer


def test_several_requests_in_one_piece_are_all_answered(server):
    first = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks(3)
    second = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    third = HEAD + b"Content-Length: 2\r\n\r\n{}"
    with server.connect(first + second + third + second[:20]) as client:
        assert answers(client, 3)[0] == [200, 200, 200]
        client.sendall(second[20:])
        assert answers(client, 1)[0] == [200]


def test_a_client_that_waits_for_100_gets_it(server):
    with server.connect(HEAD + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n") as client:
        assert client.recv(100).startswith(b"HTTP/1.1 100 Continue")
        client.sendall(b"{}")
        assert b"HTTP/1.1 200" in client.recv(1000)


def test_a_head_that_never_ends_is_refused_for_its_size(server):
    with server.connect(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000) as client:
        assert read_all(client).startswith(b"HTTP/1.1 431")
    with server.connect(b"GET /" + b"a" * 40_000) as client:
        assert read_all(client).startswith(b"HTTP/1.1 414")


def test_clients_that_read_slowly_hold_no_thread(server):
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(server.connect(b"GET /big?bytes=900000 HTTP/1.1\r\nHost: x\r\n\r\n", receive=4096))
        time.sleep(0.3)
        assert server.get("/health/live", timeout=5) == 200
    with server.connect(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as client:
        assert len(read_all(client)) > 12 * 1024 * 1024


def test_clients_that_do_not_close_delay_no_request(server):
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(server.connect(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        assert server.get("/health/live", timeout=5) == 200


def test_an_unknown_method_is_501(server):
    for method in (b"BREW", b"get", b"TRACE", b"X" * 100, b"A$B"):
        with server.connect(method + b" /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as client:
            assert read_all(client).startswith(b"HTTP/1.1 501"), method


def test_waits_that_are_not_for_a_database_open_no_breaker(server):
    with ExitStack() as stack:
        slow = [stack.enter_context(server.connect(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")) for _ in range(6)]
        assert [answers(client, 1)[0] for client in slow] == [[200]] * 6


def test_a_stop_waits_for_a_request_and_not_for_an_idle_connection(tmp_path):
    server = Server(tmp_path, REQUEST_SECONDS="10")
    server.wait()
    with server.connect(), server.connect(HEAD + b"Content-Length: 2\r\n\r\n{") as client:
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        client.sendall(b"}")
        assert answers(client, 1)[0] == [200]
    began = time.monotonic()
    assert server.process.wait(20) == 0
    assert time.monotonic() - began < 5
    assert list(tmp_path.iterdir()) == []


def test_files_of_dead_workers_are_removed_and_their_counts_kept(tmp_path):
    server = Server(tmp_path, workers=1)
    try:
        server.wait()
        for _ in range(3):
            before = metric(server)
            worker = int(subprocess.check_output(["pgrep", "-P", str(server.process.pid)]).split()[0])
            os.kill(worker, signal.SIGKILL)
            server.wait()
            assert metric(server) > before
        (directory,) = tmp_path.iterdir()
        assert len({file.stem.rpartition("_")[2] for file in directory.iterdir()}) <= 2
    finally:
        server.process.kill()
        server.process.wait()
    again = Server(tmp_path)
    again.wait()
    assert len(list(tmp_path.iterdir())) == 1
    again.stop()


def metric(server):
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    client.request("GET", "/metrics")
    text = client.getresponse().read().decode()
    client.close()
    name = 'http_requests_total{method="GET",route="/health/live",status="2xx"}'
    return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name)))
