"""A shop of its own, because generated requests disable staff accounts, too."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.access.conftest import City
from tests.shop import make_shop


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    lifted = dict.fromkeys(
        ("RATE_LIMIT_LOGIN", "RATE_LIMIT_FAILURES", "UNVERIFIED_OPEN_PIECES"), "off"
    )  # generated passwords are wrong
    shop = make_shop(tmp_path_factory.mktemp("fuzzed"), ACCESS_TOKEN_SECONDS="3540", **lifted)
    try:
        done = shop.command("up")
        if done.returncode:
            pytest.fail(f"the shop does not start:\n{done.stdout}{done.stderr}", pytrace=False)
        yield City(shop)
    finally:
        shop.command("down")
        shutil.rmtree(shop.state.data, ignore_errors=True)
