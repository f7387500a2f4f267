"""The ceilings: views that do nothing, of each framework, under the gunicorn settings of our services."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local.errors import NotReady
from deploy.local.ports import LOOPBACK
from deploy.local.probe import call
from deploy.local.state import ROOT
from deploy.local.supervision.waiting import until_ready
from tests.free_ports import pick_free

APPS = {
    "WSGI": "bench.ceilings.bare:app",
    "Flask": "bench.ceilings.flask_view:app",
    "Django": "bench.ceilings.django_view:app",
    "Django REST framework": "bench.ceilings.django_view:app",
}
PATHS = {"Django REST framework": "/rest"}
READY_SECONDS = 30.0


@contextmanager
def running(*names: str) -> Iterator[dict[str, str]]:
    """The address of each ceiling by its name; all without names. Each has two workers of eight threads, as our services."""
    chosen = {name: app for name, app in APPS.items() if not names or name in names}
    apps = list(dict.fromkeys(chosen.values()))
    ports = dict(zip(apps, pick_free(len(apps)), strict=True))
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    children = []
    try:
        for app, port in ports.items():
            command = [sys.executable, "-m", "bench.ceilings", app, str(port)]
            children.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL))
        for port in ports.values():
            until_ready(lambda port=port: _check(port), READY_SECONDS)  # type: ignore[misc]
        yield {name: f"http://{LOOPBACK}:{ports[app]}{PATHS.get(name, '/')}" for name, app in chosen.items()}
    finally:
        for child in children:
            child.send_signal(signal.SIGTERM)
        for child in children:
            child.wait(60)


def _check(port: int) -> None:
    if call(port, "GET", "/").status != 200:
        raise NotReady(f"the ceiling on port {port} does not answer")
