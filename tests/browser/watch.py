"""What should never happen while a page is looked at: errors in the console, of its policy too, and requests to other hosts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, ViewportSize, WebError

from tests.e2e.conftest import wait_for
from tests.shop import PORTS, Shop

GRAVE = ("serious", "critical")
PHONE: ViewportSize = {"width": 390, "height": 800}


class Watch:
    """Remembers what went wrong in one browser context."""

    def __init__(self, context: BrowserContext, shop: Shop) -> None:
        self.problems: list[str] = []
        self._ours = {urlsplit(shop.url(service)).netloc for service in PORTS}
        context.on("console", self._hear)
        context.on("weberror", self._see_error)
        context.on("request", self._see_request)

    @contextmanager
    def expecting(self, message: str) -> Iterator[None]:
        """A block in which an error with `message` comes up in the console: browsers note each answer of 400 and more there."""
        before, self.problems = self.problems, []
        yield
        expected = [problem for problem in self.problems if message in problem]
        assert expected, f"{message!r} did not come up"
        self.problems = before + [problem for problem in self.problems if message not in problem]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type} in the console: {message.text} ({message.location['url']})")

    def _see_error(self, error: WebError) -> None:
        self.problems.append(f"error in a script: {error.error}")

    def _see_request(self, request: Request) -> None:
        place = urlsplit(request.url)
        if place.scheme not in ("data", "blob", "about") and place.netloc not in self._ours:
            self.problems.append(f"request to another host: {request.url}")


def grave_findings(page: Page, *rules: str) -> list[str]:
    """What axe-core finds serious or critical, by `rules` alone if there are any. Its script goes in past the page's policy."""
    options = {"resultTypes": ["violations"], "iframes": False} | ({"runOnly": rules} if rules else {})
    return [
        f"{finding['id']}: {finding['help']}: {', '.join(str(node['target']) for node in finding['nodes'])}"
        for finding in Axe().run(page, options=options).response["violations"]
        if finding["impact"] in GRAVE
    ]


def assert_for_everybody(page: Page, address: str) -> None:
    """Assert that a page has no grave findings, light or dark, and does not scroll sideways on a phone."""
    desktop = page.viewport_size
    for scheme, rules in (
        ("light", ()),
        ("dark", ("color-contrast",)),
    ):  # what else there is does not depend on the scheme
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(address)
        assert grave_findings(page, *rules) == [], (address, scheme)
    page.set_viewport_size(PHONE)
    wait_for(lambda: too_wide(page) == 0, f"{address} fits a phone", seconds=5)  # charts take a moment
    assert desktop
    page.set_viewport_size(desktop)


def too_wide(page: Page) -> int:
    """The pixels by which the page is wider than its window, so that it scrolls sideways."""
    excess: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return excess
