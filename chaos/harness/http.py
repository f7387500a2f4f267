"""HTTP as a client of the shop speaks it: one connection a request, a deadline, and what can be known of the outcome."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, Literal

from deploy.local.ports import LOOPBACK

TIMEOUT_SECONDS = 15.0
Outcome = Literal["ok", "fail", "info"]


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 with `error` when nothing did."""

    status: int
    seconds: float
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    error: str = ""

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def outcome(self) -> Outcome:
        """ok: done. fail: certainly not done. info: nobody knows, as after a reset, a timeout or any 5xx."""
        if 200 <= self.status < 300:
            return "ok"
        return "fail" if 400 <= self.status < 500 or self.error == "ConnectionRefusedError" else "info"


@dataclass(frozen=True)
class Target:
    """A web process."""

    name: str
    port: int

    def get(self, path: str, token: str = "") -> Answer:
        """GET."""
        return self.call("GET", path, token=token)

    def call(self, method: str, path: str, body: object = None, token: str = "", **more: str) -> Answer:
        """One request; `more` are headers, with _ for -. Never raises: a reset is an answer, too."""
        headers = {"Accept": "application/json"} | {name.replace("_", "-"): value for name, value in more.items()}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body), "application/json"
        connection, began = HTTPConnection(LOOPBACK, self.port, timeout=TIMEOUT_SECONDS), time.monotonic()
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            content = answer.read()
            return Answer(answer.status, time.monotonic() - began, content, dict(answer.getheaders()))
        except (OSError, HTTPException) as error:
            return Answer(0, time.monotonic() - began, error=type(error).__name__)
        finally:
            connection.close()
