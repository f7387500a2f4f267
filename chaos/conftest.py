"""The fixtures of the fault tests: one shop for all of them, healed after each, and a seed that a failure can be replayed with.

CHAOS_SEED=… python -m pytest chaos/test_x.py -k NAME
"""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.harness.customers import Customers
from chaos.harness.figures import FIGURES
from chaos.harness.quiet import wait_quiet
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics

HERE = Path(__file__).parent
SEED = os.environ["CHAOS_SEED"] = os.environ.get("CHAOS_SEED") or secrets.token_hex(4)
"""In the environment, too: the workers of `pytest -n` inherit it."""


def pytest_report_header() -> str:
    """The seed, first of all."""
    return f"chaos: CHAOS_SEED={SEED}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of `pytest -n` hands its figures over."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = FIGURES


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """One that crashed has handed over nothing."""
    FIGURES.extend(getattr(node, "workeroutput", {}).get("figures", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures, last of all."""
    if FIGURES:
        terminalreporter.section("measured under faults")
        terminalreporter.write("".join(f"{figure}\n" for figure in FIGURES))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`make test` names no files and gets the quick part; the soak runs only where it is asked for."""
    ours = [item for item in items if item.path.is_relative_to(HERE)]  # their mark may not be there yet
    everything = config.args_source is not pytest.Config.ArgsSource.TESTPATHS
    asked = "soak" in str(config.option.markexpr)
    left_out = [
        item
        for item in ours
        if (item.get_closest_marker("soak") and not asked) or (not everything and not item.get_closest_marker("quick"))
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Chance, the same again for the same seed and test."""
    return random.Random(f"{SEED} {request.node.nodeid}")


@pytest.fixture(scope="session")
def whole_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("chaos"))
    try:
        stack.open()
        yield stack
    finally:
        stack.close()


@pytest.fixture
def stack(whole_stack: Stack) -> Iterator[Stack]:
    """The shop; whatever the test did to it is healed afterwards."""
    yield whole_stack
    whole_stack.heal()


@pytest.fixture
def stores(stack: Stack) -> Iterator[Stores]:
    stores = Stores(stack)
    yield stores
    stores.close()


@pytest.fixture
def topics(stack: Stack) -> Iterator[Topics]:
    topics = Topics(stack.settings.get("KAFKA_BROKERS"))
    yield topics
    topics.close()


@pytest.fixture
def start(stores: Stores, topics: Topics) -> Ends:
    """Where the topics ended when the test began, in quiet."""
    wait_quiet(stores, topics)
    return topics.ends()


@pytest.fixture
def customers(stack: Stack, start: Ends, rng: random.Random) -> Customers:
    return Customers(stack, rng)
