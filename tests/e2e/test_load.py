"""`make load` against a running shop, for some seconds."""

from __future__ import annotations

import re

from tests.e2e.conftest import Town


def test_customers_order_at_a_steady_rate_and_every_order_is_decided(town: Town) -> None:
    done = town.shop.command("load", "RATE=4", "SECONDS=3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the last order is decided" in done.stdout
    assert re.search(r"^  12 orders, 50 % in \d+ ms, 95 % in \d+ ms$", done.stdout, re.MULTILINE), done.stdout
