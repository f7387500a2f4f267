"""The quickest SMTP server there is: it takes every mail, keeps none, and notes when each came."""

from __future__ import annotations

import asyncio
import threading
import time

from deploy.local.ports import LOOPBACK

REPLIES = {b"QUIT": b"221 bye\r\n", b"EHLO": b"250-sink\r\n250 PIPELINING\r\n"}
END_OF_MAIL = b"\r\n.\r\n"


class Sink:
    """Listens on `port` in a thread of its own; each mail is taken `seconds_a_mail` after its last byte."""

    def __init__(self, port: int) -> None:
        self.times: list[float] = []  # of each mail, by time.monotonic()
        self.seconds_a_mail = 0.0
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sink", daemon=True)

    def start(self) -> None:
        """Listen; returns once it does."""
        self._thread.start()
        serving = asyncio.start_server(self._session, LOOPBACK, self._port)
        asyncio.run_coroutine_threadsafe(serving, self._loop).result(10)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            verb = line[:4].upper().strip()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(END_OF_MAIL)
                await asyncio.sleep(self.seconds_a_mail)
                self.times.append(time.monotonic())
            writer.write(REPLIES.get(verb, b"250 ok\r\n"))
        writer.close()
