"""What `make observe` starts beside the shop, on loopback: Zipkin for traces, Prometheus for metrics, Alertmanager for alerts.

The exporter of the machine's disks goes with Prometheus. MySQL, MongoDB and Kafka have their data there.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.install.programs import ZIPKIN, find_program, java
from deploy.local.errors import NotReady
from deploy.local.ports import LOOPBACK
from deploy.local.probe import call
from deploy.local.state import ROOT, State
from deploy.local.supervision.process import Process

RULES = ROOT / "deploy" / "observe" / "rules"
RULE_FILES = ("recording.yml", "alerts.yml")


def _check_page(port: int, path: str) -> None:
    """Raise NotReady unless a server answers 200 there."""
    status = call(port, "GET", path).status
    if status != 200:
        raise NotReady(f"the server on port {port} answers {status}")


@dataclass(frozen=True)
class Zipkin:
    """Zipkin with its spans in memory: they end with the process."""

    state: State
    port: int
    name = "zipkin"

    @property
    def ports(self) -> dict[str, int]:
        return {"ZIPKIN_PORT": self.port}

    def prepare(self) -> None:
        """Nothing is stored."""

    def process(self) -> Process:
        place = {"ip": LOOPBACK, "port": str(self.port), "protocols[0]": "http"}
        where = [f"--armeria.ports[0].{name}={value}" for name, value in place.items()]
        env = {"STORAGE_TYPE": "mem", "MEM_MAX_SPANS": "200000", "SELF_TRACING_ENABLED": "false"}
        return Process(self.name, (java(), "-Xmx256m", "-jar", str(ZIPKIN), *where), env)

    def check(self) -> None:
        _check_page(self.port, "/health")


@dataclass(frozen=True)
class Prometheus:
    """Prometheus, which reads the metrics of the four services, with the rules of the shop."""

    state: State
    port: int
    alertmanager_port: int
    services: Mapping[str, int]
    """The ports of the services by the name of their job."""
    rules: Path = RULES
    every: str = "5s"
    """The time between two readings of the metrics, and of the rules."""
    disks: "Disks | None" = None
    name = "prometheus"

    @property
    def ports(self) -> dict[str, int]:
        return {"PROMETHEUS_PORT": self.port}

    @property
    def _config(self) -> Path:
        return self.state.run / "prometheus.json"

    def prepare(self) -> None:
        """Write the settings. JSON is YAML."""
        jobs: list[dict[str, object]] = [
            {"job_name": name, "static_configs": [{"targets": [f"{LOOPBACK}:{port}"]}]}
            for name, port in self.services.items()
        ]
        jobs += [self.disks.job] if self.disks else []
        settings = {
            "global": {"scrape_interval": self.every, "evaluation_interval": self.every},
            "rule_files": [str(self.rules / name) for name in RULE_FILES],
            "scrape_configs": jobs,
            "alerting": {
                "alertmanagers": [{"static_configs": [{"targets": [f"{LOOPBACK}:{self.alertmanager_port}"]}]}]
            },
        }
        self._config.write_text(json.dumps(settings))

    def process(self) -> Process:
        data = self.state.data / "prometheus"
        options = {
            "config.file": self._config,
            "storage.tsdb.path": data,
            "storage.tsdb.retention.time": "7d",
            "web.listen-address": f"{LOOPBACK}:{self.port}",
            "log.level": "warn",
        }
        return Process(self.name, _command(find_program("prometheus", installer="make observe"), options))

    def check(self) -> None:
        _check_page(self.port, "/-/ready")


@dataclass(frozen=True)
class Disks:
    """Debian's exporter of the machine, which shows the free space of its disks."""

    port: int
    data: Path
    """A directory. Its disk is the one that is watched."""
    name = "node-exporter"

    @property
    def ports(self) -> dict[str, int]:
        return {"NODE_EXPORTER_PORT": self.port}

    @property
    def job(self) -> dict[str, object]:
        """The job of Prometheus, which keeps the figures of this disk only."""
        kept = {"source_labels": ["mountpoint"], "regex": re.escape(str(mount_of(self.data))), "action": "keep"}
        targets = [{"targets": [f"{LOOPBACK}:{self.port}"]}]
        return {"job_name": "node", "static_configs": targets, "metric_relabel_configs": [kept]}

    def prepare(self) -> None:
        """Nothing is stored."""

    def process(self) -> Process:
        options = ["--collector.disable-defaults", "--collector.filesystem", "--log.level=warn"]
        # by default it leaves out some places, such as /mnt. Prometheus keeps the one disk
        options += [f"--collector.filesystem.{name}-exclude=^$" for name in ("mount-points", "fs-types")]
        program = find_program("prometheus-node-exporter", "node_exporter")
        return Process(self.name, (program, f"--web.listen-address={LOOPBACK}:{self.port}", *options))

    def check(self) -> None:
        _check_page(self.port, "/metrics")


def mount_of(directory: Path) -> Path:
    """The mount point that a directory is below."""
    place = directory.resolve()
    return next(path for path in (place, *place.parents) if path.is_mount())


@dataclass(frozen=True)
class Alertmanager:
    """Alertmanager. It sends alerts as mails to the mail catcher, when the shop has one."""

    state: State
    port: int
    smtp_port: int | None
    name = "alertmanager"

    @property
    def ports(self) -> dict[str, int]:
        return {"ALERTMANAGER_PORT": self.port}

    @property
    def _config(self) -> Path:
        return self.state.run / "alertmanager.json"

    def prepare(self) -> None:
        """Write the settings. JSON is YAML."""
        receiver: dict[str, object] = {"name": "operators"}
        if self.smtp_port:
            mail = {"to": "operators@shop.localhost", "from": "alerts@shop.localhost", "require_tls": False}
            receiver["email_configs"] = [mail | {"smarthost": f"{LOOPBACK}:{self.smtp_port}", "send_resolved": True}]
        route = {"receiver": "operators", "group_by": ["alertname", "job"], "group_wait": "5s", "group_interval": "1m"}
        self._config.write_text(json.dumps({"route": route, "receivers": [receiver]}))

    def process(self) -> Process:
        options = {
            "config.file": self._config,
            "storage.path": self.state.data / "alertmanager",
            "web.listen-address": f"{LOOPBACK}:{self.port}",
            "cluster.listen-address": "",
            "log.level": "warn",
        }
        program = find_program("prometheus-alertmanager", "alertmanager", installer="make observe")
        return Process(self.name, _command(program, options))

    def check(self) -> None:
        _check_page(self.port, "/-/ready")


def _command(program: str, options: Mapping[str, object]) -> tuple[str, ...]:
    return (program, *(f"--{name}={value}" for name, value in options.items()))
