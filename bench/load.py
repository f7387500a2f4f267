"""wrk, started and read: as many requests as the connections take, one after the other in each."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.request import Request
from deploy.local.errors import LocalError

SCRIPT = Path(__file__).with_name("request.lua")
CONNECTIONS = 16
THREADS = 2
SECONDS = 10
WARM_UP_SECONDS = 2
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Load:
    """What wrk saw. Latencies in milliseconds; None where wrk names none."""

    per_second: float
    requests: int
    p50: float | None
    p99: float | None
    failed: int


def warm_up(request: Request) -> None:
    """Load one route for two seconds. Raises LocalError when wrk fails."""
    _wrk(request, WARM_UP_SECONDS)


def run(request: Request, seconds: int = SECONDS) -> Load:
    """Load one route with 16 connections. Raises LocalError when wrk fails, or a request did."""
    load = parse(_wrk(request, seconds))
    if load.failed:
        raise LocalError(f"{request.method} {request.url}: {load.failed} requests failed")
    return load


def _wrk(request: Request, seconds: int) -> str:
    size = (f"-c{CONNECTIONS}", f"-t{THREADS}", f"-d{seconds}s", "--timeout=10s", "--latency")
    environment = {"PATH": os.environ["PATH"], **request.environment()}
    command = ["wrk", *size, "-s", str(SCRIPT), request.url]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalError(f"wrk failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def parse(output: str) -> Load:
    """Read wrk's report. Raises LocalError when it is none."""
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    count = re.search(r"^\s*(\d+) requests in ", output, re.MULTILINE)
    if not (rate and count):
        raise LocalError(f"wrk says no rate: {output[-300:]}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    sockets = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    failed = sum(int(number) for match in (refused, sockets) if match for number in match.groups())
    return Load(float(rate[1]), int(count[1]), _percentile(output, 50), _percentile(output, 99), failed)


def _percentile(output: str, percent: int) -> float | None:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)$", output, re.MULTILINE)
    return float(found[1]) * MILLISECONDS[found[2]] if found else None
