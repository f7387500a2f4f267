"""Asking a service over HTTP whether it is ready."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException

from deploy.local.errors import NotReady
from deploy.local.ports import LOOPBACK

TIMEOUT_SECONDS = 5.0


def check_ready(name: str, port: int) -> None:
    """Raise NotReady, with what the service says, unless /health/ready answers 200."""
    connection = HTTPConnection(LOOPBACK, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/health/ready", headers={"Accept": "application/json"})
        answer = connection.getresponse()
        status, body = answer.status, answer.read()
    except (OSError, HTTPException) as error:
        raise NotReady(f"{name} does not answer on port {port} ({error or type(error).__name__})") from None
    finally:
        connection.close()
    if status != 200:
        raise NotReady(f"{name} is not ready: /health/ready answers {status}{_reason(body)}")


def _reason(body: bytes) -> str:
    """The checks that failed, as far as the answer tells them."""
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    checks = answer.get("checks") if isinstance(answer, dict) else None
    return f" {json.dumps(checks)}" if checks else ""
