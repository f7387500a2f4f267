"""The store of metrics: its labels are from fixed sets, and its size has a bound."""

import subprocess
import sys

from libs.messaging.consumer.batch_metrics import BatchMetrics
from libs.runtime.telemetry import metrics

PROGRAM = """
import os, sys
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]
from libs.runtime.telemetry import metrics
from libs.values.http_methods import METHODS
for n in range(metrics.MAX_ROUTES + 50):
    for method in sorted(METHODS) + ["BREW", f"X{n}"]:
        for status in (100, 200, 204, 301, 404, 503, 599):
            metrics.observe(method, f"/{n}/" + "x" * 40, status, 0.1)
text = metrics.render([], []).decode()
assert "BREW" not in text and 'status="5xx"' in text and 'status="503"' not in text
print(text.count('status="2xx"'))
"""
MAX_BYTES = 16 * 1024 * 1024


def test_the_store_has_a_bound_whatever_is_counted(tmp_path):
    """A container has 64 MiB for the files of two processes and of the dead ones."""
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout
    assert int(found) == 201 * 7
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= MAX_BYTES


def test_the_figures_of_batches_are_histograms_and_counts():
    figures = BatchMetrics()
    for size, seconds in ((1, 0.004), (40, 0.3), (100, 9.0)):
        figures.sizes.observe(size)
        figures.seconds.observe(seconds)
    figures.halvings = 3
    status = {"parts": {"a-group": {**figures.status(), "heldKeys": 2}}}
    lines = metrics.render([status], []).decode().splitlines()
    for line in (
        'consumer_batch_events_bucket{le="1.0",part="a-group"} 1.0',
        'consumer_batch_events_bucket{le="50.0",part="a-group"} 2.0',
        'consumer_batch_events_bucket{le="+Inf",part="a-group"} 3.0',
        'consumer_batch_events_sum{part="a-group"} 141.0',
        'consumer_batch_seconds_bucket{le="4.0",part="a-group"} 2.0',
        'consumer_batch_seconds_count{part="a-group"} 3.0',
        'consumer_batch_halvings_total{part="a-group"} 3.0',
        'consumer_held_keys{part="a-group"} 2.0',
    ):
        assert line in lines, line


SLOW_ERRORS = """
from libs.runtime.telemetry import metrics
for status in (200, 404, 503, 500):
    metrics.observe("GET", "/things", status, 0.1)
print(metrics.render([], []).decode())
"""


def test_the_time_of_a_5xx_is_not_counted_because_it_is_an_error_already():
    text = subprocess.run([sys.executable, "-c", SLOW_ERRORS], capture_output=True, text=True, check=True).stdout
    assert 'http_request_duration_seconds_count{method="GET",route="/things"} 2.0' in text
    assert 'http_requests_total{method="GET",route="/things",status="5xx"} 2.0' in text
