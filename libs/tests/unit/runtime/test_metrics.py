"""The store of metrics: its labels are from fixed sets, and its size has a bound."""

import subprocess
import sys

PROGRAM = """
import os, sys
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]
from libs.runtime import metrics
for n in range(metrics.MAX_ROUTES + 50):
    for method in sorted(metrics.METHODS) + ["BREW", f"X{n}"]:
        for status in (100, 200, 204, 301, 404, 503, 599):
            metrics.observe(method, f"/{n}/" + "x" * 40, status, 0.1)
text = metrics.render({}, {}).decode()
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
