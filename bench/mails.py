"""The mail part alone: `python -m bench.mails [MAILS [MEMBERS]]`. A real broker, the service, and the quickest SMTP server.

The mails of orders that wait in Kafka are sent as quickly as it goes. The figure is that of the mails between the first and the
last tenth: a start and an end are slower. The CPU seconds are those of the service's processes.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
from ulid import ULID

from bench.sink import Sink
from contracts import topic_settings
from deploy.local.ports import LOOPBACK
from deploy.local.servers.kafka import Kafka
from deploy.local.state import ROOT, State
from libs.messaging.kafka.clients import make_producer
from libs.messaging.kafka.topics import create_topics
from libs.values.times import rfc3339
from tests.free_ports import pick_free
from tests.stack import running

MAILS = 20_000
TOPIC = "order-placed"
SECONDS = 300.0
LINE = {
    "name": "Desk lamp",
    "quantity": 2,
    "unitPrice": "9.95",
    "lineTotal": "19.90",
    "version": 1,
    "productId": "b" * 24,
}


def main(mails: int = MAILS, members: int = 1) -> int:
    """Print mails a second and CPU time for each mail."""
    rate, cpu = run(mails, members)
    print(f"{rate:.0f} mails/s, {cpu * 1000:.2f} ms CPU a mail")
    return 0


def run(mails: int, members: int = 1) -> tuple[float, float]:
    """Mails a second, and CPU seconds of the services for each."""
    environ, controller = make_environment()
    folder = Path(tempfile.mkdtemp(prefix="bench-mails-"))
    state = State(folder)
    state.make()
    kafka = Kafka(state, int(environ["KAFKA_BROKERS"].rpartition(":")[2]), controller)
    try:
        with running(kafka, state), sink_process(int(environ["SMTP_PORT"])) as sink:
            publish(environ["KAFKA_BROKERS"], mails)
            with ExitStack() as services:
                pids = [services.enter_context(service_process(environ, port, folder)) for port in pick_free(members)]
                return measure(sink, pids, mails)
    finally:
        shutil.rmtree(folder)


@contextmanager
def service_process(environ: Mapping[str, str], port: int, folder: Path) -> Iterator[int]:
    """One notification_service. Yields its process id."""
    metrics = folder / f"metrics-{port}"
    metrics.mkdir()
    own = {"NOTIFICATION_SERVICE_PORT": str(port), "PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    command = [sys.executable, "-m", "notification_service", "web"]
    with (folder / f"service-{port}.log").open("wb") as log:
        service = subprocess.Popen(command, cwd=ROOT, env={**environ, **own}, stdout=log, stderr=log)
    try:
        yield service.pid
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(30)


def make_environment() -> tuple[dict[str, str], int]:
    """The variables of the service, with free ports, and a port for the broker's controller."""
    broker, controller, smtp = pick_free(3)
    own = {
        "JWT_SECRET": secrets.token_urlsafe(48),
        "KAFKA_BROKERS": f"{LOOPBACK}:{broker}",
        "SMTP_PORT": str(smtp),
        "SMTP_SECURITY": "none",
        "SMTP_USERNAME": "microshop",
        "SMTP_PASSWORD": secrets.token_urlsafe(24),
        "FROM_EMAIL": "shop@example.com",
        "LOG_FORMAT": "json",
    }
    return os.environ | own, controller


def publish(brokers: str, count: int) -> None:
    """Placed orders, each with a key of its own."""
    create_topics(brokers, topic_settings(TOPIC))
    producer = make_producer(brokers)
    for _ in range(count):
        order_id, user = str(ULID()), secrets.token_hex(12)
        data: dict[str, object] = {
            "orderId": order_id,
            "userId": user,
            "userEmail": f"{user}@example.com",
            "username": "ada",
            "reason": None,
        }
        data |= {"total": "19.90", "currency": "USD", "items": [LINE], "emailVerified": True}
        headers = {"ce_specversion": "1.0", "ce_id": str(ULID()), "ce_type": TOPIC, "ce_source": "bench"}
        headers |= {"ce_subject": order_id, "ce_sequence": "1", "content-type": "application/json"}
        headers["ce_time"] = rfc3339(datetime.now(UTC))
        producer.produce(TOPIC, orjson.dumps(data), order_id, headers=dict(headers))
        producer.poll(0)
    if producer.flush(60):
        raise TimeoutError("Kafka does not take the events")


@contextmanager
def sink_process(port: int) -> Iterator[Path]:
    """The sink in a process of its own. Yields the file to which it writes the number of its mails and the time."""
    folder = Path(tempfile.mkdtemp(prefix="bench-sink-"))
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.mails", "sink", str(port), str(folder / "mails")], cwd=ROOT
    )
    try:
        yield folder / "mails"
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


def serve_sink(port: int, file: Path) -> None:
    """Serve until the process ends."""
    sink = Sink(port)
    sink.start()
    while True:
        time.sleep(0.1)
        part = file.with_suffix(".part")
        part.write_text(f"{len(sink.times)} {time.monotonic()}")
        part.replace(file)


def measure(sink: Path, pids: Sequence[int], mails: int) -> tuple[float, float]:
    """Mails a second, and CPU seconds a mail."""
    first = wait_for(sink, mails // 10)
    cpu = sum(map(cpu_seconds, pids))
    last = wait_for(sink, mails * 9 // 10)
    count = last[0] - first[0]
    return count / (last[1] - first[1]), (sum(map(cpu_seconds, pids)) - cpu) / count


def wait_for(sink: Path, mails: int) -> tuple[int, float]:
    """How many mails had come at which time, once there were so many."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if sink.exists() and (text := sink.read_text().split()) and int(text[0]) >= mails:
            return int(text[0]), float(text[1])
        time.sleep(0.05)
    raise TimeoutError(f"{mails} mails did not come within {SECONDS:.0f} s")


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ticks = 0
    for each in (str(pid), *children):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    if sys.argv[1:2] == ["sink"]:
        serve_sink(int(sys.argv[2]), Path(sys.argv[3]))
    sys.exit(main(*map(int, sys.argv[1:])))
