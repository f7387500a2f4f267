"""HTTP requests to a process on this machine: no proxy, no redirects, a deadline."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

from deploy.local.errors import NotReady
from deploy.local.ports import LOOPBACK

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """Status and body of a response."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def call(port: int, method: str, path: str, body: object = None, token: str = "", **headers: str) -> Answer:
    """One request. Raises NotReady when no response comes within 10 s."""
    fields = {"Accept": "application/json", **headers}
    if token:
        fields["Authorization"] = f"Bearer {token}"
    data = None
    if body is not None:
        data, fields["Content-Type"] = json.dumps(body), "application/json"
    connection = HTTPConnection(LOOPBACK, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, path, data, fields)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read())
    except (OSError, HTTPException) as error:
        raise NotReady(f"nothing answers on port {port} ({error or type(error).__name__})") from None
    finally:
        connection.close()


def check_ready(name: str, port: int) -> None:
    """Raise NotReady, with the checks of the response, unless /health/ready answers 200."""
    answer = call(port, "GET", "/health/ready")
    if answer.status != 200:
        checks = answer.json.get("checks") if isinstance(answer.json, dict) else None
        reason = f" {json.dumps(checks)}" if checks else ""
        raise NotReady(f"{name} is not ready: /health/ready answers {answer.status}{reason}")
