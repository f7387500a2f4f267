"""`python -m bench.open_loop URL RATE`: requests at a constant rate, whatever the answers take.

Each request has a moment at which it is due, and its latency counts from there: a server that stops for a second is charged for
every request of that second. A closed loop, such as wrk's, waits for the answer and so asks less of a slow server.
BENCH_METHOD, BENCH_TOKEN and BENCH_BODY describe the request, as for request.lua.

The client is one Python process, and it shares the cores with the server. Its floor is what it shows for a view that does nothing
(`bench.ceilings`), at the same rate; the benchmark prints it beside the others. Above some 1,500 requests a second on one core it
measures itself: `started late` then grows, the time between the moment when a request is due and its first byte.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from bench.percentiles import percentile
from bench.request import Request
from deploy.local.errors import LocalError
from deploy.local.state import ROOT

MAX_CONNECTIONS = 800  # our services take 900 in each worker
DRAIN_SECONDS = 10.0
END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True)
class OpenLoad:
    """Latencies in ms from the moment when a request was due. `failed`: other than 2xx, broken, or without an answer after 10 s."""

    rate: float
    requests: int
    p50: float
    p95: float
    p99: float
    longest: float
    late_p99: float
    failed: int
    statuses: dict[str, int] = field(default_factory=dict)


def run(request: Request, rate: float, seconds: int) -> OpenLoad:
    """Load a route from a process of its own. Raises LocalError."""
    command = [sys.executable, "-m", "bench.open_loop", request.url, str(rate), "--seconds", str(seconds), "--json"]
    environment = {"PATH": os.environ["PATH"], **request.environment()}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalError(f"the open loop failed: {(done.stderr or done.stdout).strip()[-500:]}")
    return OpenLoad(**json.loads(done.stdout))


class _Connection(asyncio.Protocol):
    """One request at a time. `answered` is called with the status, or 0 when the connection broke."""

    def __init__(self, pool: _Pool) -> None:
        self._pool, self._received, self._due = pool, bytearray(), 0.0
        self._transport: asyncio.WriteTransport | None = None
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def send(self, data: bytes, due: float) -> None:
        """Send a request that was due at this time of time.perf_counter()."""
        assert self._transport is not None
        self._busy, self._due = True, due
        self._received.clear()
        self._transport.write(data)

    def close(self) -> None:
        """Close it."""
        if self._transport:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._busy or (end := self._received.find(END_OF_HEAD)) < 0:
            return
        head = bytes(self._received[:end]).lower()
        if len(self._received) >= end + len(END_OF_HEAD) + length_of(head):
            self._busy = False
            status, keep = int(head[9:12]), b"connection: close" not in head
            self._pool.answered(status, self._due, self if keep else None)
            if not keep:
                self.close()

    def connection_lost(self, _error: Exception | None) -> None:
        self._pool.lost(self, self._due if self._busy else None)


def length_of(head: bytes) -> int:
    """The length of a body from the head of its answer, in lower case; 0 when it names none."""
    for line in head.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


class _Pool:
    """The connections, and what came over them."""

    def __init__(self, host: str, port: int) -> None:
        self._place, self._free, self._count = (host, port), list[_Connection](), 0
        self._tasks, self._all = set[asyncio.Task[None]](), set[_Connection]()
        self._waiting = list[tuple[bytes, float]]()
        self.latencies, self.late, self.statuses, self.open = list[float](), list[float](), Counter[int](), 0

    def start(self, data: bytes, due: float) -> None:
        """Send a request now, over a free connection or a new one."""
        self.open += 1
        if self._free:
            self._send(self._free.pop(), data, due)
        elif self._count < MAX_CONNECTIONS:
            self._count += 1
            task = asyncio.create_task(self._connect(data, due))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._waiting.append((data, due))

    def answered(self, status: int, due: float, connection: _Connection | None) -> None:
        """An answer came. `connection`: if it can be used again."""
        self.open -= 1
        self.statuses[status] += 1
        self.latencies.append((time.perf_counter() - due) * 1000)
        if connection and self._waiting:
            self._send(connection, *self._waiting.pop(0))
        elif connection:
            self._free.append(connection)

    def lost(self, connection: _Connection, due: float | None) -> None:
        """A connection ended, perhaps before its answer."""
        self._count -= 1
        self._all.discard(connection)
        if connection in self._free:
            self._free.remove(connection)
        if due is not None:
            self.answered(0, due, None)

    async def _connect(self, data: bytes, due: float) -> None:
        try:
            _, connection = await asyncio.get_running_loop().create_connection(lambda: _Connection(self), *self._place)
        except OSError:
            self._count -= 1
            self.answered(0, due, None)
        else:
            self._all.add(connection)
            self._send(connection, data, due)

    async def close(self) -> None:
        """Close all connections."""
        for connection in self._all:
            connection.close()
        while self._all:
            await asyncio.sleep(0)

    def _send(self, connection: _Connection, data: bytes, due: float) -> None:
        self.late.append((time.perf_counter() - due) * 1000)
        connection.send(data, due)


async def load(request: Request, rate: float, seconds: float) -> OpenLoad:
    """Load a route from this process."""
    place = urlsplit(request.url)
    pool = _Pool(place.hostname or "", place.port or 80)
    began, total = time.perf_counter() + 0.01, max(1, round(rate * seconds))
    for number in range(total):
        due = began + number / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        elif number % 20 == 0:
            await asyncio.sleep(0)  # answers are read, also when requests are late
        pool.start(encode(request, number, f"{os.getpid()}-{number}"), due)
    end = time.perf_counter() + DRAIN_SECONDS
    while pool.open and time.perf_counter() < end:
        await asyncio.sleep(0.01)
    latencies = list(pool.latencies)  # closing adds those without an answer
    await pool.close()
    return summary(rate, total, latencies, pool.late, pool.statuses)


def encode(request: Request, number: int, unique: str) -> bytes:
    """The bytes of the `number`-th request, with `unique` for each # of its body."""
    place = urlsplit(request.url)
    path = place.path + (f"?{place.query}" if place.query else "")
    head = f"{request.method} {path or '/'} HTTP/1.1\r\nHost: {place.netloc}\r\nAccept: application/json\r\n"
    if request.token:
        head += f"Authorization: Bearer {request.token}\r\n"
    body = b"" if request.body is None else request.numbered(number, unique).encode()
    if request.body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def summary(rate: float, total: int, latencies: list[float], late: list[float], statuses: Counter[int]) -> OpenLoad:
    """What a load of `total` requests was. One without an answer counts as failed, and as long as the drain."""
    times = sorted(latencies + [DRAIN_SECONDS * 1000] * (total - len(latencies)))
    good = sum(count for status, count in statuses.items() if 200 <= status < 300)
    p50, p95, p99 = (percentile(times, percent) for percent in (50, 95, 99))
    by_status = {str(status): count for status, count in sorted(statuses.items())}
    return OpenLoad(rate, total, p50, p95, p99, times[-1], percentile(late or [0.0], 99), total - good, by_status)


def main() -> int:
    """Print one line, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.open_loop", description=__doc__.partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("rate", type=float, help="requests a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    given = parser.parse_args()
    body = json.loads(os.environ["BENCH_BODY"]) if "BENCH_BODY" in os.environ else None
    request = Request(given.url, os.environ.get("BENCH_METHOD", "GET"), os.environ.get("BENCH_TOKEN", ""), body)
    found = asyncio.run(load(request, given.rate, given.seconds))
    if given.json:
        print(json.dumps(asdict(found)))
    else:
        times = (
            f"p50 {found.p50:.1f} ms, p95 {found.p95:.1f} ms, p99 {found.p99:.1f} ms, longest {found.longest:.0f} ms"
        )
        print(f"{found.requests:,} requests at {found.rate:,.0f}/s: {times}, {found.failed} failed")
        print(f"99 % of them began at most {found.late_p99:.1f} ms late")
    return 0


if __name__ == "__main__":
    sys.exit(main())
