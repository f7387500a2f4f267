"""wrk, started and read."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalError

SCRIPT = Path(__file__).with_name("request.lua")
CONNECTIONS = 16
THREADS = 2
SECONDS = 10
WARM_UP_SECONDS = 2
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Load:
    """What wrk saw. Latencies in milliseconds."""

    per_second: float
    p50: float
    p99: float
    failed: int


def run(url: str, *, method: str = "GET", token: str = "", body: object = None, seconds: int = SECONDS) -> Load:
    """Load one route with 16 connections, after a short warm-up. Raises LocalError when wrk fails."""
    environment = {"PATH": os.environ["PATH"], "BENCH_METHOD": method}
    if token:
        environment["BENCH_TOKEN"] = token
    if body is not None:
        environment["BENCH_BODY"] = json.dumps(body)
    _wrk(url, WARM_UP_SECONDS, environment)
    return parse(_wrk(url, seconds, environment))


def _wrk(url: str, seconds: int, environment: dict[str, str]) -> str:
    size = (f"-c{CONNECTIONS}", f"-t{THREADS}", f"-d{seconds}s", "--timeout=10s", "--latency")
    done = subprocess.run(
        ["wrk", *size, "-s", str(SCRIPT), url], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LocalError(f"wrk failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def parse(output: str) -> Load:
    """Read wrk's report. Raises LocalError when it is none."""
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if not rate:
        raise LocalError(f"wrk says no rate: {output[-300:]}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    sockets = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    failed = sum(int(number) for match in (refused, sockets) if match for number in match.groups())
    return Load(float(rate[1]), _percentile(output, 50), _percentile(output, 99), failed)


def _percentile(output: str, percent: int) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s)$", output, re.MULTILINE)
    return float(found[1]) * MILLISECONDS[found[2]] if found else float("nan")
