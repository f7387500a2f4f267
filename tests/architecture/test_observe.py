"""Rules and dashboards: they name only metrics that there are, and each alert has its page."""

import json
import re
from functools import cache

import pytest
import yaml

from deploy.service_list import ROOT
from tests.exported_metrics import EXPORTERS, exported

OBSERVE = ROOT / "deploy" / "observe"
RULES = sorted((OBSERVE / "rules").glob("*.yml"))
RULE_FILES = [path for path in RULES if not path.stem.endswith("_test")]
FOREIGN = {"up", "ALERTS", "node_filesystem_avail_bytes", "node_filesystem_size_bytes"}
"""Series of Prometheus itself and of prometheus-node-exporter."""
WORDS = {
    "and",
    "or",
    "unless",
    "on",
    "by",
    "without",
    "ignoring",
    "group_left",
    "group_right",
    "le",
    "offset",
    "bool",
    "inf",
    "nan",
}
MAX_LINES = 30


def groups():
    return [group for path in RULE_FILES for group in yaml.safe_load(path.read_text())["groups"]]


RULES_OF_ALL = [rule for group in groups() for rule in group["rules"]]
ALERTS = [rule for rule in RULES_OF_ALL if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES_OF_ALL if "record" in rule}


@cache
def known():
    """The names of all series that a rule or a dashboard may use."""
    return (
        {name for service in EXPORTERS for metric in exported(service) for name in metric.series} | RECORDED | FOREIGN
    )


def series_in(expression):
    """The names of series in an expression of PromQL: what is left without functions, labels, strings and durations."""
    text = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", " ", expression)
    text = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", text)
    names = set(re.findall(r"[a-zA-Z_][a-zA-Z0-9_:]*(?!\s*\()\b(?!\s*\()", text))
    return {name for name in names if name not in WORDS and not re.fullmatch(r"e\d*", name)}


def test_every_alert_fires_in_a_test():
    text = (OBSERVE / "rules" / "rules_test.yml").read_text()
    assert [alert["alert"] for alert in ALERTS if f'alertname="{alert["alert"]}"' not in text] == []


@pytest.mark.parametrize("rule", RULES_OF_ALL, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_names_only_metrics_that_there_are(rule):
    named = series_in(rule["expr"])
    assert named
    assert named <= known()


def test_names_of_series_are_found_in_expressions():
    text = 'max by (job) (a_total{x="b_total"}) / sum(rate(c:d_bucket[5m])) > 14.4 * 0.001 unless on (job) e_seconds offset 5m'
    assert series_in(text) - {"m"} == {"a_total", "c:d_bucket", "e_seconds"}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_each_alert_has_a_weight_a_summary_and_a_page(alert):
    assert alert["labels"]["severity"] in ("page", "ticket")
    page = ROOT / alert["annotations"]["runbook"]
    lines = page.read_text().splitlines()
    assert len(lines) <= MAX_LINES
    assert alert["alert"] in page.read_text()
    assert [line for line in lines if line.startswith("## ")] == ["## What it means", "## How to look", "## What to do"]
    assert alert["annotations"]["summary"]


def test_each_page_belongs_to_an_alert():
    named = {alert["annotations"]["runbook"] for alert in ALERTS}
    assert named == {f"docs/runbooks/{path.name}" for path in (ROOT / "docs" / "runbooks").glob("*.md")}


def test_the_operations_page_lists_each_alert_and_names_only_metrics_that_there_are():
    text = (ROOT / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| ([A-Z]\w+(?:, [A-Z]\w+)*) \| (?:page|ticket)[^|]* \| (.*) \|$", text, re.MULTILINE)
    assert sorted(name for names, _ in rows for name in names.split(", ")) == sorted(a["alert"] for a in ALERTS)
    named = {name for _, words in rows for name in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", words)}
    assert "outbox_oldest_age_seconds" in named
    assert named <= known()


DASHBOARDS = sorted((OBSERVE / "grafana" / "dashboards").glob("*.json"))


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_complete_and_names_only_metrics_that_there_are(path):
    board = json.loads(path.read_text())
    assert (board["uid"], board["editable"]) == (path.stem, False)
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels) >= 9
    assert board["templating"]["list"] or "$" not in path.read_text()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == panel["datasource"]["uid"] == "prometheus"
            assert target["legendFormat"]
            named = series_in(target["expr"])
            assert named, target["expr"]
            assert named <= known(), target["expr"]


def test_there_are_the_dashboards_that_the_operations_page_names():
    text = (ROOT / "docs" / "operations.md").read_text()
    assert [path.stem for path in DASHBOARDS] == ["kafka-and-outbox", "order-flow", "overview", "service"]
    for path in DASHBOARDS:
        assert json.loads(path.read_text())["title"].removeprefix("MicroShop: ") in text


SETTINGS = yaml.safe_load((OBSERVE / "prometheus.yml").read_text())
CONTAINERS = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
OBSERVERS = {name: service for name, service in CONTAINERS.items() if service.get("profiles") == ["observe"]}
DISKS = {"mysql": "/var/lib/mysql", "mongo": "/data/db", "kafka": "/var/lib/kafka/data"}
"""The servers with data, and where they have it."""


def test_prometheus_in_compose_asks_each_web_process_by_the_names_of_the_jobs():
    targets = {job["job_name"]: job["static_configs"][0]["targets"][0] for job in SETTINGS["scrape_configs"]}
    assert set(targets) == {service.removesuffix("_service") for service in EXPORTERS} | {"node"}
    for job, target in targets.items():
        name, port = target.split(":")
        assert job == "node" or any(published.endswith(f":{port}") for published in CONTAINERS[name]["ports"])
        assert set(CONTAINERS[name]["networks"]) & set(CONTAINERS["prometheus"]["networks"])
    assert {path.rpartition("/")[2] for path in SETTINGS["rule_files"]} == {path.name for path in RULE_FILES}


def mounts(name):
    """Place in a container → (what is mounted there, whether it may be written)."""
    parts = [volume.split(":") for volume in CONTAINERS[name]["volumes"]]
    return {place: (source, flags != ["ro"]) for source, place, *flags in parts}


def test_the_disk_of_each_server_with_data_is_watched():
    (job,) = [job for job in SETTINGS["scrape_configs"] if job["job_name"] == "node"]
    (kept,) = job["metric_relabel_configs"]
    watched = mounts("node-exporter")
    assert watched == {f"/disks/{name}": (mounts(name)[place][0], False) for name, place in DISKS.items()}
    assert all(re.fullmatch(kept["regex"], place) for place in watched)


@pytest.mark.parametrize("name", sorted(OBSERVERS.keys() - {"zipkin"}))
def test_each_file_of_a_container_that_observes_exists_and_is_not_written(name):
    files = {place: source for place, source in mounts(name).items() if source[0].startswith(".")}
    assert files or name == "node-exporter"
    for source, writable in files.values():
        assert (ROOT / source).exists(), source
        assert not writable


def inside(name, path):
    """The file of the repository that a container has at a path."""
    for place, (source, _) in mounts(name).items():
        if path == place or path.startswith(f"{place}/"):
            return ROOT / source / path[len(place) :].lstrip("/")
    raise AssertionError(f"{name} has no {path}")


def test_what_the_settings_of_the_containers_name_is_mounted_there():
    for path in SETTINGS["rule_files"]:
        assert inside("prometheus", path).is_file()
    providers = yaml.safe_load(inside("grafana", "/etc/grafana/provisioning/dashboards/microshop.yml").read_text())
    (provider,) = providers["providers"]
    assert sorted(inside("grafana", provider["options"]["path"]).glob("*.json")) == DASHBOARDS
    assert inside("prometheus", "/etc/prometheus/prometheus.yml").is_file()
    assert inside("alertmanager", "/etc/alertmanager/alertmanager.yml").is_file()


def test_addresses_between_the_containers_lead_to_containers_on_a_common_network():
    sources = yaml.safe_load((OBSERVE / "grafana" / "datasources.yml").read_text())["datasources"]
    assert {source["uid"] for source in sources} == {"prometheus", "zipkin"}
    alertmanagers = SETTINGS["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    smarthost = yaml.safe_load((OBSERVE / "alertmanager.yml").read_text())["receivers"][0]["email_configs"][0]
    reached = [("grafana", source["url"].removeprefix("http://")) for source in sources]
    reached += [("prometheus", alertmanagers[0]), ("alertmanager", smarthost["smarthost"])]
    ports = {"prometheus:9090", "zipkin:9411", "alertmanager:9093", "mail:1025"}
    assert {address for _, address in reached} == ports
    for name, address in reached:
        assert set(CONTAINERS[name]["networks"]) & set(CONTAINERS[address.split(":")[0]]["networks"])


def test_workers_and_web_processes_reach_the_collector():
    for name, service in CONTAINERS.items():
        if "OTEL_EXPORTER_ZIPKIN_ENDPOINT" in service.get("environment", {}) and "ports" in service:
            assert set(service["networks"]) & set(CONTAINERS["zipkin"]["networks"]), name
    for name in ("user-worker", "product-worker", "order-worker", "notification"):
        assert set(CONTAINERS[name]["networks"]) & set(CONTAINERS["zipkin"]["networks"]), name


def test_the_collector_of_the_local_stack_has_the_version_of_the_container():
    (local,) = re.findall(r"zipkin-server:(\d+\.\d+\.\d+):", (ROOT / "deploy" / "install" / "download.py").read_text())
    assert CONTAINERS["zipkin"]["image"].split("@")[0] == f"openzipkin/zipkin:{local}"
