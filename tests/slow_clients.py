"""Clients that send a request slowly: a head that never ends, a body of one byte a second, chunks that never end."""

from __future__ import annotations

import select
import socket
import threading
import time
from types import TracebackType

from deploy.local.ports import LOOPBACK

START = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
KINDS = [
    (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X: y\r\n"),
    (START + b"Content-Length: 5000\r\n\r\n{", b" "),
    (START + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    (b"G", b""),
]
"""What each kind sends first, and then once a second."""


class SlowClients:
    """`count` connections to a port, as long as the block. One that the server closes is opened again."""

    def __init__(self, port: int, count: int = 200) -> None:
        self._port, self._count, self.ended = port, count, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="slow clients", daemon=True)
        self._open: dict[socket.socket, bytes] = {}

    def __enter__(self) -> SlowClients:
        self._fill()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for client in self._open:
            client.close()

    def _fill(self) -> None:
        while len(self._open) < self._count:
            first, more = KINDS[len(self._open) % len(KINDS)]
            client = socket.create_connection((LOOPBACK, self._port), 10)
            client.sendall(first)
            self._open[client] = more

    def _run(self) -> None:
        while not self._stop.wait(1.0):
            poll = select.poll()
            by_number = {client.fileno(): client for client in self._open}
            for number in by_number:
                poll.register(number, select.POLLIN)
            answered = {by_number[number] for number, _ in poll.poll(0)}
            for client, more in list(self._open.items()):
                if client in answered or not self._send(client, more):
                    client.close()
                    del self._open[client]
                    self.ended += 1
            self._fill()

    @staticmethod
    def _send(client: socket.socket, data: bytes) -> bool:
        try:
            client.sendall(data)
        except OSError:
            return False
        return True


def percentile(values: list[float], percent: int) -> float:
    """The value below which that part of `values` is."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def pause_until(moment: float) -> None:
    """Sleep until a time of `time.monotonic`."""
    time.sleep(max(0.0, moment - time.monotonic()))
