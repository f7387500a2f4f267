"""The groups of a test run side by side: the table fits the tree, and no two workers pick the same port."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests import free_ports
from tests.groups import GROUPS, group_of
from tests.workers import keep_to_own_ports

ROOT = Path(__file__).parents[2]
FILES = [str(path.relative_to(ROOT)) for path in ROOT.glob("[a-z]*/**/test_*.py")]


@pytest.mark.parametrize("pattern", [pattern for patterns in GROUPS.values() for pattern in patterns])
def test_each_pattern_is_of_tests_that_are_there(pattern: str) -> None:
    assert [file for file in FILES if fnmatchcase(file, pattern)]


def test_every_group_has_tests() -> None:
    assert {group_of(f"{file}::test_it") for file in FILES} == set(GROUPS)


def test_workers_pick_their_ports_from_parts_of_the_range_that_do_not_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, parts = free_ports.OUR_RANGE, []
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "4")
    for number in range(4):
        monkeypatch.setattr(free_ports, "OUR_RANGE", whole)
        monkeypatch.setenv("PYTEST_XDIST_WORKER", f"gw{number}")
        keep_to_own_ports()
        parts.append(set(free_ports.OUR_RANGE))
    assert len(set.union(*parts)) == sum(map(len, parts)) <= len(whole)


def test_a_run_without_workers_has_the_whole_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.setattr(free_ports, "OUR_RANGE", whole := range(100, 200))
    keep_to_own_ports()
    assert free_ports.OUR_RANGE is whole
