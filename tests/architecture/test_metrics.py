"""The metrics: the page lists all of them, and their names follow Prometheus' conventions."""

import re
import subprocess
import sys

import pytest

from tests.exported_metrics import EXPORTERS, PAGE, exported, page

LABELS = {"method", "route", "status", "part", "topic", "reason", "state", "kind", "outcome"}
"""Labels whose values are from fixed sets. Nothing that clients send may become a label."""


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == page(), "run make metrics"


@pytest.mark.parametrize("service", EXPORTERS)
def test_names_follow_the_conventions(service):
    for name, kind, labels, text in exported(service):
        assert re.fullmatch(r"[a-z][a-z_]+", name)
        assert (kind == "counter") == name.endswith("_total"), name
        assert kind != "histogram" or name.endswith(("_seconds", "_events")), name
        assert not re.search(r"_(ms|milliseconds|minutes|count|sum|bucket)$", name), name
        assert set(labels) <= LABELS, name
        assert text, name


@pytest.mark.parametrize("service", EXPORTERS)
def test_a_metric_has_one_type_and_the_same_labels_in_each_service(service):
    for metric in exported(service):
        for other in EXPORTERS:
            assert metric in exported(other) or metric.name not in {found.name for found in exported(other)}


IMPORTS = """
import sys
from importlib import import_module
import_module(f"{sys.argv[1]}.__main__")
import_module("libs.web.serving.server")
sys.exit("prometheus_client" in sys.modules)
"""


@pytest.mark.parametrize("service", EXPORTERS)
def test_the_arbiter_makes_the_directory_of_the_metrics_before_it_imports_the_library(service):
    """prometheus_client decides at its import whether processes share their metrics. Too early, and /metrics shows no requests."""
    assert subprocess.run([sys.executable, "-c", IMPORTS, service], cwd=PAGE.parents[1], check=False).returncode == 0
