"""The images, built once; the variants of the shop; and what the run says at its end about what it ran against."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.tests.containers import Containers, docker
from deploy.tests.versions import versions
from tests.e2e.conftest import Town

SEEN = pytest.StashKey[dict[str, list[str]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SEEN] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The real version of every server, and what was left out."""
    for variant, lines in config.stash[SEEN].items():
        terminalreporter.section(f"variant {variant}")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> None:
    """All images of the product, built. With the host's network, so that a build reaches what the host reaches."""
    if docker("info", check=False).returncode:
        pytest.exit("no Docker engine answers: these tests need one", returncode=1)
    shop = Containers(
        tmp_path_factory.mktemp("build"), "build", ("tls",), {"SHOP_DOMAIN": "x", "TLS_DIRECTORY": "/tmp"}
    )
    built = {service["image"]: name for name, service in shop.services.items() if "build" in service}
    text = "".join(f"  {name}: {{build: {{network: host}}}}\n" for name in built.values())
    (shop.directory / "own.yaml").write_text(f"services:\n{text}")
    shop.compose("build", *built.values())


@pytest.fixture(scope="module")
def bring_up(
    images: None, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[Containers], Containers]]:
    """`bring_up(shop)`: the shop runs until the module's last test. An error names what is missing and what runs."""
    open_shops = []

    def start(shop: Containers) -> Containers:
        missing = set(shop.missing())
        images = {name: shop.services[name]["image"] for name in sorted(missing)}
        if missing:
            pytest.fail(f"not on this machine, `docker compose pull` brings them: {images}", pytrace=False)
        running = shop.up()
        running.__enter__()
        open_shops.append(running)
        told = [f"ready in {shop.seconds:.0f} s", *versions(shop), *memory(shop)]
        request.config.stash[SEEN][shop.variant] = told
        return shop

    yield start
    for running in open_shops:
        running.__exit__(None, None, None)


@pytest.fixture
def town(shop: Containers) -> Town:
    """People in the containers' shop; each module names its variant by a fixture `shop`."""
    return Town(shop)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop")


def memory(shop: Containers) -> list[str]:
    """What each container uses, and may use."""
    lines = docker(
        "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}} {{.MemPerc}}", *shop.ids().values()
    ).stdout
    short = re.sub(rf"{shop.project}-(\S+)-1", r"\1", lines)
    return ["memory: " + "; ".join(sorted(short.splitlines()))]
