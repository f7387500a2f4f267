"""What is loaded is no work for the garbage collector."""

import subprocess
import sys

CODE = """
import gc
from libs.runtime.garbage import THRESHOLDS, keep_loaded
keep_loaded()
assert gc.get_freeze_count() > 1_000, gc.get_freeze_count()
assert gc.get_threshold() == THRESHOLDS
cycle = []
cycle.append(cycle)
del cycle
assert gc.collect() == 1
"""


def test_later_collections_skip_what_was_loaded_and_find_the_rest():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
