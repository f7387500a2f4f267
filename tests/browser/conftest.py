"""A browser before the running shop: each test gets a fresh context, and fails when anything goes wrong in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import open_chromium
from tests.browser.watch import Watch
from tests.e2e.conftest import Town
from tests.shop import Shop

PATIENCE_MS = 15_000


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with open_chromium() as browser:
        yield browser


@pytest.fixture
def town(shop: Shop) -> Town:
    return Town(shop)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page, 1280 pixels wide, of a browser without cookies."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture(autouse=True)
def watch(page: Page, shop: Shop) -> Iterator[Watch]:
    """Fails the test when its page did what no page should."""
    watch = Watch(page.context, shop)
    yield watch
    assert watch.problems == []
