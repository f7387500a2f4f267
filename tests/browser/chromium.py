"""The system's Chromium for Playwright, which would otherwise download a browser of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from deploy.local.errors import LocalError

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")  # the same names as in bootstrap.sh
ARGUMENTS = (
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing beyond this machine can be reached
)


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """A headless browser while the block lasts. Raises LocalError when none is installed.

    Playwright keeps an event loop in its thread as long as it runs, and Django's ORM refuses to work beside one: close it before
    anything else is tested.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise LocalError(f"no browser is installed: {', '.join(NAMES)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
