"""The metrics: the page lists all of them, and their names follow Prometheus' conventions."""

import re
from pathlib import Path

import pytest

from tests.exported_metrics import EXPORTERS, PAGE, exported, page

ROOT = Path(__file__).parents[2]
LABELS = {"method", "route", "status", "part", "topic", "reason", "state", "kind", "outcome"}
"""Labels whose values are from fixed sets. Nothing that clients send may become a label."""


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == page(), "run make metrics"


@pytest.mark.parametrize("service", EXPORTERS)
def test_names_follow_the_conventions(service):
    for name, kind, labels, text in exported(service):
        assert re.fullmatch(r"[a-z][a-z_]+", name)
        assert (kind == "counter") == name.endswith("_total"), name
        assert kind != "histogram" or name.endswith("_seconds"), name
        assert not re.search(r"_(ms|milliseconds|minutes|count|sum|bucket)$", name), name
        assert set(labels) <= LABELS, name
        assert text, name


@pytest.mark.parametrize("service", EXPORTERS)
def test_a_metric_has_one_type_and_the_same_labels_in_each_service(service):
    for metric in exported(service):
        for other in EXPORTERS:
            assert metric in exported(other) or metric.name not in {found.name for found in exported(other)}


def test_the_operations_page_names_only_metrics_that_there_are():
    known = {metric.name for service in EXPORTERS for metric in exported(service)}
    named = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    found = {name for cell in named for name in re.findall(r"`([a-z]+_[a-z_]+)(?:\{[^}]*\})?`", cell)}
    others = {"trace_id", "request_id", "event_id", "aggregate_id"}
    assert found - others <= known
    assert {"outbox_oldest_age_seconds", "consumer_lag_seconds", "outbox_dead"} <= found
