"""The files of metrics: the counts of ended processes are kept, and no file of a killed one does harm."""

import subprocess
import sys

PROGRAM = """
import os, sys
from pathlib import Path
directory = Path(sys.argv[1])
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
from libs.runtime.telemetry import metrics, metrics_files
metrics.observe("GET", "/things", 200, 0.1)
(directory / f"counter_{os.getpid()}.db").rename(directory / "counter_1.db")
(directory / "histogram_1.db").touch()  # killed before it wrote the first byte
(directory / "gauge_livemostrecent_1.db").touch()
metrics_files.merge_dead(directory, 1)
print([file.name for file in directory.glob("*_1.db")], 'route="/things"' in metrics.render({}, {}).decode())
"""

RACE = """
import glob, os, sys
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]
from libs.runtime.telemetry import metrics
metrics.observe("GET", "/things", 200, 0.1)
ended, real = [os.path.join(sys.argv[1], "counter_1.db")], glob.glob
glob.glob = lambda *args, **options: real(*args, **options) + [ended.pop() for _ in ended[:]]
print('route="/things"' in metrics.render({}, {}).decode(), ended)
"""


def run(program, directory):
    return subprocess.run([sys.executable, "-c", program, str(directory)], capture_output=True, text=True, check=False)


def test_the_counts_of_a_killed_process_are_kept_and_an_empty_file_ends_nothing(tmp_path):
    done = run(PROGRAM, tmp_path)
    assert done.stdout.splitlines()[-1:] == ["[] True"], done.stderr


def test_a_process_that_ends_while_the_files_are_read_fails_no_scrape(tmp_path):
    done = run(RACE, tmp_path)
    assert done.stdout.splitlines()[-1:] == ["True []"], done.stderr


def test_the_server_is_imported_without_the_counters_which_each_worker_opens_in_the_shared_directory(tmp_path):
    imported = "import sys, libs.web.serving.server; print([name for name in sys.modules if name.startswith('prometheus_client')])"
    done = run(imported, tmp_path)
    assert done.stdout == "[]\n", done.stderr
