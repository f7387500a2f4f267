"""A collector of traces that takes every span and keeps none: OTLP over HTTP, one answer for each request."""

from __future__ import annotations

import asyncio
import threading

from deploy.local.ports import LOOPBACK

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"


class Collector:
    """Listens on `port` in a thread of its own. `requests`: how many batches of spans came."""

    def __init__(self, port: int) -> None:
        self.requests = 0
        self._port = port

    def start(self) -> None:
        """Listen; returns once it does."""
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, name="collector", daemon=True).start()
        serving = asyncio.start_server(self._serve, LOOPBACK, self._port)
        asyncio.run_coroutine_threadsafe(serving, loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(lengths[0].partition(b":")[2]) if lengths else 0)
                self.requests += 1
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the service ended the connection
        writer.close()
