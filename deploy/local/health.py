"""Asking a service whether it is ready."""

from __future__ import annotations

import json

from deploy.local.client import Answer, call
from deploy.local.errors import NotReady


def check_ready(name: str, port: int) -> None:
    """Raise NotReady, with what the service says, unless /health/ready answers 200."""
    answer = call(port, "GET", "/health/ready")
    if answer.status != 200:
        raise NotReady(f"{name} is not ready: /health/ready answers {answer.status}{_reason(answer)}")


def _reason(answer: Answer) -> str:
    """The checks, as far as the answer tells them."""
    checks = answer.json.get("checks") if isinstance(answer.json, dict) else None
    return f" {json.dumps(checks)}" if checks else ""
