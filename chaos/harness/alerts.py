"""A real Prometheus beside the shop under test, and which alerts fire in it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from chaos.harness.http import Target
from chaos.harness.rules import quicken
from chaos.harness.stack import WEB, Stack
from chaos.harness.waiting import wait_until
from deploy.local.state import ROOT, State
from deploy.observe.servers import Prometheus
from tests.free_ports import pick_free
from tests.stack import running

EVERY = "5s"  # as in the shop: a service may take so long for its metrics
READY_SECONDS = 90
WAITS = "outbox_oldest_age_seconds > 5 or orders_oldest_pending_seconds > 5 or consumer_lag_seconds > 5"
"""The last figures of a worker that has ended are shown for a minute."""
ROW = re.compile(r"^\| ([^|]+) \| ((?:`[A-Z]\w+`(?:, )?)+|none) \|", re.MULTILINE)


def documented() -> dict[str, set[str]]:
    """Fault → the alerts that fire for it, by docs/operations.md."""
    text = (ROOT / "docs" / "operations.md").read_text()
    part = text.partition("\n### Faults and their alerts\n")[2].partition("\n#")[0]
    return {fault.strip(): set(re.findall(r"`(\w+)`", alerts)) for fault, alerts in ROW.findall(part)}


class Alerts:
    """What a Prometheus says of the alerts."""

    def __init__(self, port: int) -> None:
        self._target, self._began = Target("prometheus", port), time.monotonic()

    def query(self, expression: str) -> list[dict[str, str]]:
        """The labels of the series that an expression has now."""
        answer = self._target.get(f"/api/v1/query?query={quote(expression)}")
        assert answer.status == 200, answer
        return [series["metric"] for series in answer.json["data"]["result"]]

    def firing(self) -> set[str]:
        """The alerts that fire now."""
        return {labels["alertname"] for labels in self.query('ALERTS{alertstate="firing"}')}

    def fired(self) -> set[str]:
        """The alerts that have fired since all was quiet."""
        seconds = max(1, int(time.monotonic() - self._began))
        found = self.query(f'count by (alertname) (count_over_time(ALERTS{{alertstate="firing"}}[{seconds}s]))')
        return {labels["alertname"] for labels in found}

    def pending(self) -> list[str]:
        """The alerts that wait or fire, with their labels: for the text of a failure."""
        return [str(labels) for labels in self.query("ALERTS")]

    def wait_scraped(self, jobs: int) -> None:
        """Wait until the metrics of all services and of all workers are there, and no alert waits or fires.

        Alerts that fired before are those of the fault before this one.
        """
        wait_until(lambda: len(self.query("up == 1")) == jobs, READY_SECONDS, "not every service is asked")
        workers = "count by (job) (relay_is_leader)"
        wait_until(lambda: len(self.query(workers)) == jobs - 1, READY_SECONDS, "not every worker is shown")
        wait_until(lambda: not self.query(WAITS), READY_SECONDS, lambda: self.query(WAITS))
        wait_until(lambda: not self.pending(), READY_SECONDS, self.pending)
        self._began = time.monotonic()


@contextmanager
def watching(stack: Stack, directory: Path) -> Iterator[Alerts]:
    """Prometheus with the quick rules while the block lasts. It has seen each service when the block begins."""
    state = State(directory)
    state.make()
    port, nobody = pick_free(2)
    jobs = {name.removesuffix("-web"): stack.target(name).port for name in WEB}
    server = Prometheus(state, port, nobody, jobs, quicken(directory), EVERY)
    with running(server, state):
        alerts = Alerts(port)
        alerts.wait_scraped(len(jobs))
        yield alerts
