"""The quickest SMTP server there is: it takes every mail, keeps none, and notes when each came, and those of each order."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections import defaultdict

from deploy.local.ports import LOOPBACK

REPLIES = {b"QUIT": b"221 bye\r\n", b"EHLO": b"250-sink\r\n250 PIPELINING\r\n", b"DATA": b"354 go on\r\n"}
END_OF_MAIL = b"\r\n.\r\n"
ORDER_ID = re.compile(rb"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b")


class Sink:
    """Listens on `port` in a thread of its own; each mail is taken `seconds_a_mail` after its last byte."""

    def __init__(self, port: int) -> None:
        self.times: list[float] = []  # of each mail, by time.monotonic()
        self.by_order: defaultdict[str, list[float]] = defaultdict(list)  # by time.time(), if it names an order
        self.seconds_a_mail, self.notes_orders = 0.0, False
        self._port = port

    def start(self) -> None:
        """Listen; returns once it does."""
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, name="sink", daemon=True).start()
        serving = loop.create_server(lambda: _Session(self), LOOPBACK, self._port)
        asyncio.run_coroutine_threadsafe(serving, loop).result(10)

    def clear(self) -> None:
        """Drop the notes."""
        self.times.clear()
        self.by_order.clear()

    def take(self, mail: bytes) -> None:
        """Note a mail."""
        self.times.append(time.monotonic())
        if self.notes_orders and (found := ORDER_ID.search(mail)):
            self.by_order[found[0].decode()].append(time.time())


class _Session(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self._sink, self._received, self._in_mail = sink, bytearray(), False
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._received += data
        while True:
            if self._in_mail:
                if (end := self._received.find(END_OF_MAIL)) < 0:
                    return
                mail, self._in_mail = bytes(self._received[:end]), False
                del self._received[: end + len(END_OF_MAIL)]
                if self._sink.seconds_a_mail:
                    asyncio.get_running_loop().call_later(self._sink.seconds_a_mail, self._accept, mail)
                else:
                    self._accept(mail)
            elif (end := self._received.find(b"\n")) >= 0:
                verb = bytes(self._received[:4]).upper().strip()
                del self._received[: end + 1]
                self._in_mail = verb == b"DATA"
                self._transport.write(REPLIES.get(verb, b"250 ok\r\n"))
            else:
                return

    def _accept(self, mail: bytes) -> None:
        assert self._transport is not None
        self._sink.take(mail)
        self._transport.write(b"250 ok\r\n")
