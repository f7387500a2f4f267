"""The metrics that each service exports: `make metrics` writes them into docs/metrics.md.

A process for each service imports what its web process and its worker import, and lists the metrics that exist then.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from deploy.service_list import SERVICES
from tests.environment import make_environment

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "metrics.md"
EXPORTERS = tuple(service for service in SERVICES if (ROOT / service / "api" / "app.py").exists())
"""The services with an HTTP API. Another one has no port to show its metrics at."""
HEAD = """# Metrics

`make metrics` writes this page from the code.

Each service shows its metrics at `/metrics`, in Prometheus' text format. A worker has no port. Its web process shows the
worker's metrics, with the label `worker` (host and process id). Two workers show the same outbox, so take the maximum of
`outbox_pending` and not the sum. Times are in seconds. A counter begins at 0 when its process starts.

The values of labels are from fixed sets, whatever clients send. `route` is the template of the path, and `unknown` without
one. `status` is the class of the status (`2xx`). `part` is a task of a worker, such as `relay` or the name of a consumer group.

| metric | reason | meaning |
| --- | --- | --- |
| `consumer_retries_total` | `unavailable` | a server is unavailable, so the event is tried again without an end |
| `consumer_retries_total` | `failed` | the handler failed, or a mail was put off |
| `consumer_retries_total` | `conflict` | its batch met another writer of the same rows |
| `consumer_retries_total` | `limit` | its batch met a time limit of the database |
| `consumer_dead_letters_total` | `malformed` | the event can't be read |
| `consumer_dead_letters_total` | `refused` | the handler refuses the event |
| `consumer_dead_letters_total` | `failed` | the handler failed too often |

| metric | type | labels | services | content |
| --- | --- | --- | --- | --- |
"""

PROGRAM = """
import json, sys
from importlib import import_module
service = sys.argv[1]
if service == "order_service":
    from order_service.config import Config, setup_django
    from libs.runtime.config import load
    setup_django(service, load(Config))
    own = import_module("order_service.api.health").METRICS
    import_module("order_service.urls")
else:
    own = getattr(import_module(f"{service}.api.app"), "METRICS", ())
import_module(f"{service}.worker.process")
from prometheus_client import REGISTRY
from libs.runtime.telemetry.status_metrics import CLOCK_SKEW, STATUS_METRICS
found = []
for collector in set(REGISTRY._collector_to_names):
    if hasattr(collector, "_documentation"):
        kind = collector._type
        name = collector._name + ("_total" if kind == "counter" else "")
        found.append([name, kind, list(collector._labelnames), collector._documentation])
relay, batches = "libs.messaging.relay" in sys.modules, "libs.messaging.consumer.batch_consumer" in sys.modules
of_batches = "consumer_batch_", "consumer_open", "consumer_uncommitted", "consumer_held", "consumer_offsets_out"
for metric in (*STATUS_METRICS, *own):
    is_of_batches = metric.name.startswith(of_batches)
    if (relay or not metric.name.startswith(("outbox_", "relay_"))) and (batches or not is_of_batches):
        found.append([metric.name, metric.kind, ["part"], metric.help])
if relay:
    found.append([CLOCK_SKEW.name, CLOCK_SKEW.kind, [], CLOCK_SKEW.help])
print(json.dumps(found), file=sys.stderr)
"""


class ExportedMetric(NamedTuple):
    """A metric of one service, without the labels `worker` and `le`."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str

    @property
    def series(self) -> set[str]:
        """The names of its series."""
        return {self.name + end for end in ("_bucket", "_sum", "_count")} if self.kind == "histogram" else {self.name}


@cache
def exported(service: str) -> tuple[ExportedMetric, ...]:
    """The metrics of a service, by name."""
    environment = os.environ | make_environment()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, service], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stderr.splitlines()[-1])
    return tuple(sorted(ExportedMetric(name, kind, tuple(labels), text) for name, kind, labels, text in rows))


def page() -> str:
    """The text of docs/metrics.md."""
    services: dict[ExportedMetric, list[str]] = {}
    for service in EXPORTERS:
        for metric in exported(service):
            services.setdefault(metric, []).append(service.removesuffix("_service"))
    return HEAD + "".join(_row(metric, services[metric]) for metric in sorted(services))


def _row(metric: ExportedMetric, services: list[str]) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    where = "all" if len(services) == len(EXPORTERS) else ", ".join(services)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {where} | {metric.help} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
