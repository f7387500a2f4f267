"""The product's own check of its stock, as an operator runs it."""

from __future__ import annotations

import subprocess
import sys

from chaos.harness.stack import Stack


def check_stock(stack: Stack) -> None:
    """All invariants of stock and reservations hold."""
    argv = [sys.executable, "-m", "product_service", "check-stock"]
    env = dict(stack.children["product-worker"].env)
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
