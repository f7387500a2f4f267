"""A TCP proxy with faults, under the names that Toxiproxy gave them.

latency     each piece of data comes VALUE seconds late
bandwidth   VALUE bytes a second pass
timeout     nothing passes; after VALUE seconds (0: never) the connection is closed
reset_peer  the connection is reset at the next data
slow_close  an end is passed on VALUE seconds late
limit_data  the connection is closed after VALUE bytes

It counts what it did, so that a test can assert that its fault happened.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from deploy.local.ports import LOOPBACK

PIECE = 65_536
Filter = Callable[[bytes], bytes]
LINGER_ZERO = struct.pack("ii", 1, 0)  # close() sends RST, socket(7)


class _Closed(Exception):
    """This connection is over."""


class Proxy:
    """Passes `port` on to `target`. One event loop, in a thread of its own."""

    def __init__(self, name: str, port: int, target: int) -> None:
        self.name, self.port, self.target = name, port, target
        self.counts: Counter[str] = Counter()
        self.make_filter: Callable[[], Filter] | None = None
        """Makes what each new connection's requests go through: bytes in, and those that pass out."""
        self._toxics: dict[str, float] = {}
        self._links: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{name}", daemon=True)

    def start(self) -> None:
        """Listen; returns once it does."""
        self._thread.start()
        self.up()

    def close(self) -> None:
        """End for good."""
        self.down()
        self._run(self._end_links)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def up(self) -> None:
        """Listen again after `down`."""
        self._run(self._listen)

    def down(self) -> None:
        """Nobody listens any more, and what is open is reset."""
        self._run(self._deafen)

    def cut(self) -> int:
        """Reset all open connections; return how many there were."""
        return int(self._run(self._reset_all))

    @contextlib.contextmanager
    def toxic(self, kind: str, value: float = 0.0) -> Iterator[None]:
        """The fault lasts as long as the block. Connections that it held are reset at the end."""
        self._toxics[kind] = value
        try:
            yield
        finally:
            del self._toxics[kind]
            self.cut()

    def _run(self, function: Callable[[], Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(function(), self._loop).result(10)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port, backlog=512)

    async def _deafen(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            await self._reset_all()

    async def _end_links(self) -> None:
        links = asyncio.all_tasks() - {asyncio.current_task()}
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def _reset_all(self) -> int:
        links = list(self._links)
        for writer in links:
            self._reset(writer)
        return len(links)

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        self.counts["resets"] += 1
        with contextlib.suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.counts["connections"] += 1
        self._links.add(writer)
        back: asyncio.StreamWriter | None = None
        try:
            with contextlib.suppress(OSError, _Closed, asyncio.CancelledError):
                source, back = await asyncio.open_connection(LOOPBACK, self.target)
                passes = self.make_filter() if self.make_filter else bytes
                ways = (self._pump(reader, back, writer, passes), self._pump(source, writer, writer))
                tasks = [asyncio.create_task(way) for way in ways]
                done, open_ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in (*done, *open_):
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._links.discard(writer)
            writer.close()
            if back is not None:
                back.close()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        to: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
        passes: Filter = bytes,
    ) -> None:
        passed = 0
        while data := await reader.read(PIECE):
            await self._suffer(client)
            data = passes(data)
            if "limit_data" in self._toxics:
                data = data[: max(0, int(self._toxics["limit_data"]) - passed)]
                if not data:
                    self.counts["limited"] += 1
                    raise _Closed
            passed += len(data)
            await self._write(data, to)
        if "slow_close" in self._toxics:
            self.counts["slow_closes"] += 1
            await asyncio.sleep(self._toxics["slow_close"])

    async def _suffer(self, client: asyncio.StreamWriter) -> None:
        if "latency" in self._toxics:
            self.counts["delayed"] += 1
            await asyncio.sleep(self._toxics["latency"])
        if "timeout" in self._toxics:
            self.counts["held"] += 1
            await asyncio.sleep(self._toxics["timeout"] or 3600)
            raise _Closed
        if "reset_peer" in self._toxics:
            self._reset(client)
            raise _Closed

    async def _write(self, data: bytes, to: asyncio.StreamWriter) -> None:
        if rate := self._toxics.get("bandwidth"):
            self.counts["slowed"] += 1
            for byte in range(len(data)):
                to.write(data[byte : byte + 1])
                await asyncio.sleep(1 / rate)
        else:
            to.write(data)
        await to.drain()
