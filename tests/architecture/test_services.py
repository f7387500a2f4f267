"""Every service of deploy/service_list.py is in each place that names services, and no such place names another one."""

import importlib
import re
import tomllib

import pytest

from deploy.local.services import JOBS
from deploy.local.services import SERVICES as PROCESSES
from deploy.service_list import ROOT, SERVICES
from tests.architecture.compose import commands, package_of, read

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
BUILT = [(package_of(s), s) for s in read("docker-compose.yaml")["services"].values() if package_of(s)]
STARTED = ("web", "worker", "topics", "indexes")
"""The commands of a service that every stack runs, as processes or as jobs."""


def groups(service):
    """The topics of each consumer group of a service, by the names of its dead-letter topics."""
    names = importlib.import_module(f"{service}.events.topics").topics()
    found = {}
    for topic, group in (name.removesuffix(".dlq").split(".") for name in names if name.endswith(".dlq")):
        found.setdefault(group, []).append(topic)
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_its_requirements_and_their_lock(service):
    for path in (ROOT / "requirements" / f"{service}.in", ROOT / "requirements" / f"{service}.txt"):
        assert path.exists(), f"requirements/{path.name} is missing"
    needed = re.findall(r"^[a-z][\w-]*", (ROOT / "requirements" / f"{service}.in").read_text(), re.MULTILINE)
    for lock in (f"{service}.txt", "dev.txt"):
        locked = re.findall(r"^([a-z][\w-]*)(?:\[.*\])?==", (ROOT / "requirements" / lock).read_text(), re.MULTILINE)
        assert set(needed) <= set(locked), f"requirements/{lock} is out of date: run `make lock`"


@pytest.mark.parametrize("service", SERVICES)
def test_compose_runs_each_process_and_each_job_of_a_service(service):
    given = {s.get("command", ["web"])[0] for package, s in BUILT if package == service and "entrypoint" not in s}
    for command in filter(commands(service).__contains__, STARTED):
        assert command in given, f"docker-compose.yaml has no entry for `{service} {command}`"


@pytest.mark.parametrize("service", SERVICES)
def test_the_local_stack_runs_each_process_and_each_job_of_a_service(service):
    given = {process.command for process in PROCESSES if process.package == service}
    given |= {job.arguments[0] for job in JOBS if job.package == service}
    for command in filter(commands(service).__contains__, STARTED):
        assert command in given, f"deploy/local/services.py has no entry for `{service} {command}`"


@pytest.mark.parametrize("service", SERVICES)
def test_the_import_rules_cover_a_service(service):
    lists = {contract["name"]: str({k: v for k, v in contract.items() if k != "name"}) for contract in CONTRACTS}
    for name in ("No service imports another", "Shared code knows no service", "No cycles"):
        assert f"'{service}'" in lists[name], f"pyproject.toml, contract {name!r}: {service} is missing"
    rooms = [c["name"] for c in CONTRACTS if c["type"] == "layers" and service in c["containers"]]
    assert len(rooms) == 1, f"pyproject.toml has no contract for the rooms of {service}"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_unit_tests_and_tests_of_its_events(service):
    assert list((ROOT / service / "tests" / "unit").rglob("test_*.py")), f"{service}/tests/unit has no test"
    assert (ROOT / "tests" / "contracts" / f"test_{service}.py").exists(), (
        f"tests/contracts/test_{service}.py is missing"
    )


@pytest.mark.parametrize("service", SERVICES)
def test_the_documents_name_a_service_and_its_consumer_groups(service):
    assert service in (ROOT / "docs" / "architecture.md").read_text(), f"docs/architecture.md does not name {service}"
    events = (ROOT / "docs" / "events.md").read_text()
    for group, topics in groups(service).items():
        assert f"| `{group}` |" in events, f"docs/events.md has no row for the group {group}"
        for topic in topics:
            (row,) = re.findall(rf"^\| `{topic}` \| \w+_service \| ([^|]*) \|", events, re.MULTILINE)
            short = service.removesuffix("_service")
            assert short in row, f"docs/events.md does not name {short} as a consumer of {topic}"


def test_no_place_names_a_service_that_does_not_exist():
    named = {package for package, _ in BUILT} | {process.package for process in PROCESSES}
    named |= {job.package for job in JOBS} | {path.stem for path in (ROOT / "requirements").glob("*_service.*")}
    named |= set(re.findall(r"\w+_service", str(CONTRACTS)))
    assert named == set(SERVICES)
