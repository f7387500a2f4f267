"""The metrics of workers: they travel in the status, and the page has one family for those of several processes."""

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from libs.runtime.health import Health
from libs.runtime.telemetry import metrics
from libs.runtime.telemetry.metric_families import dump
from libs.runtime.telemetry.status_metrics import STATUS_METRICS, StatusMetric


def worker(pid, **parts):
    return {"host": "a", "pid": pid, "parts": parts}


def read(page):
    """The samples of a page by name, and the types by family. A family that comes twice is an error."""
    families = list(text_string_to_metric_families(page.decode()))
    assert len({family.name for family in families}) == len(families)
    samples = {}
    for family in families:
        for sample in family.samples:
            samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    return samples, {family.name: family.type for family in families}


def test_the_fields_of_each_workers_tasks_are_metrics():
    statuses = [worker(1, relay={"pending": 3, "leader": True}), worker(2, relay={"pending": 3, "leader": False})]
    samples, types = read(metrics.render(statuses, []))
    assert samples["relay_is_leader"] == [
        ({"part": "relay", "worker": "a:1"}, 1.0),
        ({"part": "relay", "worker": "a:2"}, 0.0),
    ]
    assert [value for _, value in samples["outbox_pending"]] == [3.0, 3.0]
    assert types["outbox_pending"] == "gauge"
    assert "consumer_lag" not in samples


def test_a_counter_ends_in_total_and_a_gauge_does_not():
    statuses = [worker(1, relay={"published": 5, "dead": 1, "takeovers": 2})]
    samples, types = read(metrics.render(statuses, []))
    assert samples["relay_published_total"] == [({"part": "relay", "worker": "a:1"}, 5.0)]
    assert (types["relay_published"], types["relay_takeovers"], types["outbox_dead"]) == ("counter", "counter", "gauge")
    for metric in STATUS_METRICS:
        assert (metric.kind == "counter") == metric.name.endswith("_total")


def test_a_service_adds_fields_of_its_own():
    more = [StatusMetric("oldest", "things_oldest_seconds", "Age of the oldest thing")]
    samples, _ = read(metrics.render([worker(1, things={"oldest": 2.5, "name": "lamp"})], more))
    assert samples["things_oldest_seconds"] == [({"part": "things", "worker": "a:1"}, 2.5)]


def test_the_clock_of_a_worker_is_a_metric():
    samples, _ = read(metrics.render([{**worker(1), "clock": {"skewSeconds": -0.3}}], []))
    assert samples["clock_skew_seconds"] == [({"worker": "a:1"}, -0.3)]


def test_a_consumer_in_the_web_process_has_no_label_of_a_worker():
    samples, _ = read(metrics.render([{"parts": {"group": {"lag": 4}}}], []))
    assert samples["consumer_lag"] == [({"part": "group"}, 4.0)]


def test_the_metrics_of_a_worker_travel_as_json_in_its_status():
    registry = CollectorRegistry()
    Counter("things_total", "Things", ["kind"], registry=registry).labels("lamp").inc(3)
    Gauge("shelves", "Shelves", registry=registry).set(2)
    Histogram("thing_seconds", "Time", buckets=(1, 2), registry=registry).observe(1.5)
    status = orjson.loads(orjson.dumps({**worker(1), "metrics": dump(registry)}))
    samples, types = read(metrics.render([status, {**status, "pid": 2}], []))
    assert samples["things_total"] == [({"kind": "lamp", "worker": f"a:{pid}"}, 3.0) for pid in (1, 2)]
    assert samples["shelves"] == [({"worker": f"a:{pid}"}, 2.0) for pid in (1, 2)]
    of_one = [(labels["le"], value) for labels, value in samples["thing_seconds_bucket"] if labels["worker"] == "a:1"]
    assert of_one == [("1.0", 0.0), ("2.0", 1.0), ("+Inf", 1.0)]
    assert (types["things"], types["shelves"], types["thing_seconds"]) == ("counter", "gauge", "histogram")


def test_the_same_metric_of_web_and_worker_is_one_family():
    metrics.observe("GET", "/one-family", 200, 0.01)
    status = {**worker(1), "metrics": dump()}
    samples, _ = read(metrics.render([status], []))
    own = [labels for labels, _ in samples["http_requests_total"] if labels["route"] == "/one-family"]
    assert [labels.get("worker") for labels in own] == [None, "a:1"]


def test_what_the_interpreter_counts_does_not_travel():
    assert not [family for family in dump() if family["name"].startswith(("python_", "process_"))]


def test_metrics_are_shown_while_the_database_is_unavailable():
    def unavailable():
        raise ConnectionError

    health = Health("sample", "1", workers=unavailable)
    assert health.worker_statuses() == []
