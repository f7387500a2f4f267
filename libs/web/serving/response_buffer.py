"""A client's socket for the threads of a worker: a client that reads slowly does not hold a thread.

Each call to the kernel lets another thread run first. So this class makes as few as it can (docs/adr/0064).
"""

import errno
import select
import socket
import time
from typing import Any

MAX_UNSENT_BYTES = 1024 * 1024
START_OF_HEAD, END_OF_HEAD = b"HTTP/1.", b"\r\n\r\n"


class ResponseSocket:
    """A socket that never waits. Its `sendall` keeps what the kernel does not take yet. The worker's loop sends it by `flush`.

    The head of a response waits for the body: both are one packet.

    Beyond MAX_UNSENT_BYTES the thread waits for the client, at most `seconds` for each `min_rate * seconds` bytes.
    """

    def __init__(self, sock: socket.socket, *, seconds: float, min_rate: int) -> None:
        self._sock, self._seconds, self._min_rate = sock, seconds, min_rate
        self.unsent = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def setblocking(self, flag: bool) -> None:
        """Nothing. gunicorn sets it before each request and after it."""

    def receive(self, size: int) -> bytes:
        """Up to `size` bytes that are there. Raises BlockingIOError when there are none."""
        return self._sock.recv(size, socket.MSG_DONTWAIT)

    def sendall(self, data: bytes) -> None:
        """Send what the client takes at once, and keep the rest. The head of a response waits for the next data or `flush`.

        Raises BrokenPipeError for a client that does not read.
        """
        is_head = not self.unsent and data.startswith(START_OF_HEAD) and data.endswith(END_OF_HEAD)
        self.unsent += data
        if is_head:
            return
        self.flush()
        deadline = time.monotonic() + self._seconds + len(self.unsent) / self._min_rate
        while len(self.unsent) > MAX_UNSENT_BYTES:
            poll = select.poll()  # select() knows no descriptor above 1,023
            poll.register(self._sock, select.POLLOUT)
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                self.unsent.clear()
                raise BrokenPipeError(errno.EPIPE, "the client reads too slowly")
            self.flush()

    def flush(self) -> bool:
        """Send without waiting. True when nothing is left. Raises OSError when the connection is closed."""
        while self.unsent:
            try:
                sent = self._sock.send(self.unsent, socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                return False
            del self.unsent[:sent]
        return True

    def time_left(self) -> float:
        """The seconds in which the client must have read what is unsent."""
        return self._seconds + len(self.unsent) / self._min_rate
