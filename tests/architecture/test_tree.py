"""The rules of the tree: small files, small shared packages, an environment that one door opens on."""

import ast
import statistics
import subprocess
import sys

import pytest

from deploy.service_list import ROOT, SERVICES
from tests.architecture.compose import commands

PACKAGES = ("libs", "contracts", *SERVICES)
SKIP = {"tests", "migrations", "__pycache__"}
FILES = [p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py")) if not SKIP & set(p.parts)]


def test_files_stay_small():
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > 300} == {}
    assert statistics.median(lengths.values()) <= 80


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_why_it_exists(path):
    tree = ast.parse(path.read_text())
    assert not tree.body or ast.get_docstring(tree)


ROOMS = {"api", "worker", "commands", "use_cases", "queries", "domain", "events", "store"}
ROOMS_OF_ITS_OWN = {
    "order_service": {"desk", "manage.py", "settings.py", "urls.py"},
    "notification_service": {"rendering", "smtp"},
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_reader_finds_every_service_laid_out_alike(service):
    entries = {path.name for path in (ROOT / service).iterdir() if path.name != "__pycache__"}
    needed = {"__init__.py", "__main__.py", "config.py", "tests", "worker", "use_cases", "domain", "events", "store"}
    assert needed <= entries
    assert ("api" in entries) == ("web" in commands(service))
    assert entries - needed <= ROOMS | ROOMS_OF_ITS_OWN.get(service, set())


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_opens_nothing_and_reads_no_environment(package):
    code = f"import socket, os; os.environ.clear(); socket.socket.connect = None; import {package}, {package}.__main__"
    if package in ("libs", "contracts"):
        code = code.partition(f", {package}.__main__")[0]
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 0, ended.stderr


def test_no_lock_holds_the_address_of_an_index():
    for lock in [*ROOT.glob("requirements/*.txt"), *ROOT.glob("deploy/**/*.txt")]:
        text = "".join(line for line in lock.read_text().splitlines() if not line.lstrip().startswith("#"))
        assert "--index-url" not in text
        assert "://" not in text
