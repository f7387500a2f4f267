"""Tests side by side: `pytest -n auto` runs each group of this table in a worker of its own, on servers of its own.

Most tests wait, for a server, a lease, a retry: so all groups together take little longer than the longest one. Tests that use
the same servers share a group, so that those start once. Within a group the tests run one after the other, as without `-n`.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.workers import worker

GROUPS = {
    "faults": ("chaos/*",),
    "shop": ("tests/e2e/*", "tests/access/*", "tests/browser/*", "tests/fuzz/*", "tests/local/e2e/*"),
    "notification_service": ("notification_service/*",),
    "order_service": ("order_service/*", "tests/local/*", "tests/observe/*", "tests/customers/*", "tests/seeding/*"),
    "rest": ("*",),
}
"""Group → the files in it. The first match counts; the groups start in this order, the longest first."""
END_SECONDS = 60

_workers: list[Any] = []
_seconds = Counter[str]()


def group_of(nodeid: str) -> str:
    """The group of a test."""
    file = nodeid.partition("::")[0]
    return next(group for group, patterns in GROUPS.items() if any(fnmatchcase(file, pattern) for pattern in patterns))


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: a worker for each group, however many cores there are."""
    return len(GROUPS)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole groups."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    config.option.loadscopereorder = False  # else the group with the most tests comes first, not the longest one
    return Scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups are handed out as they come: with fewer workers than groups the longest ones are to begin."""
    if worker():
        order = list(GROUPS)
        items.sort(key=lambda item: order.index(group_of(item.nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker starts."""
    _workers.append(node)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker is done, or has crashed; xdist reports an interrupted one twice."""
    if node in _workers:
        _workers.remove(node)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep how long each group takes."""
    _seconds[group_of(report.nodeid)] += report.duration


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The longest group is how long the run takes: say which one it is, so that it can be divided when it grows."""
    if config.getoption("numprocesses", None):
        told = ", ".join(f"{group} {seconds:.0f} s" for group, seconds in _seconds.most_common())
        terminalreporter.write_line(f"groups: {told}")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """A run that is broken off lets its workers stop their servers; left alone, pytest-xdist kills them after ten seconds."""
    for node in _workers:
        with suppress(ProcessLookupError):
            os.kill(node.gateway._rinfo().pid, signal.SIGTERM)
    end = time.monotonic() + END_SECONDS
    for node in _workers:
        with suppress(OSError, EOFError, node.channel.RemoteError, node.channel.TimeoutError):
            node.channel.waitclose(max(0.0, end - time.monotonic()))
