"""The whole shop for end-to-end tests, started and stopped by the commands that people use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from deploy import envfile
from deploy.customers.mailbox import Mailbox
from deploy.local.errors import NotReady
from deploy.local.ports import LOOPBACK
from deploy.local.probe import Answer, call
from deploy.local.state import ROOT, State
from deploy.local.supervision.process import read_pid
from tests.free_ports import pick_free

PORTS = {
    "user": "USER_SERVICE_PORT",
    "product": "PRODUCT_SERVICE_PORT",
    "order": "ORDER_SERVICE_PORT",
    "notification": "NOTIFICATION_SERVICE_PORT",
}
SERVICES = {"user-web": "user", "product-web": "product", "order-web": "order", "notification": "notification"}
"""Process → the service that it serves."""
COMMAND_SECONDS = 240


@dataclass(frozen=True)
class Shop:
    """A stack in a directory of its own, on free ports, with an .env that `make env` made."""

    state: State
    env: dict[str, str]

    @property
    def env_file(self) -> Path:
        return self.state.path / ".env"

    @property
    def mail_url(self) -> str:
        """The mail catcher's page."""
        return f"http://{LOOPBACK}:{self.env['MAIL_PAGE_PORT']}"

    def url(self, service: str, path: str = "") -> str:
        """The address of `user`, `product`, `order` or `notification`, with a path such as /health."""
        return f"http://{LOOPBACK}:{self.env[PORTS[service]]}{path}"

    def call(self, service: str, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        """One request to `user`, `product`, `order` or `notification`."""
        return call(int(self.env[PORTS[service]]), method, path, body, token)

    def mailbox(self) -> Mailbox:
        """The mails from now on."""
        return Mailbox(int(self.env["MAIL_PAGE_PORT"]))

    def log(self, name: str) -> str:
        """What a process has written so far."""
        return (self.state.log / f"{name}.log").read_text(errors="replace")

    def pid(self, name: str) -> int:
        """The process that runs under a name now, such as user-web or mysql."""
        pid = read_pid(self.state, name)
        assert pid is not None, f"{name} is not running"
        return pid

    def kill(self, name: str, signal_number: int = signal.SIGKILL) -> int:
        """Send a signal to a process, and return the pid that it had."""
        pid = self.pid(name)
        os.kill(pid, signal_number)
        return pid

    def kill_and_wait(self, *names: str, seconds: float = 30.0) -> None:
        """Kill processes, and wait until others run in their place and the services among them take traffic.

        The workers of a killed gunicorn still answer for a second: so this waits for their end first.
        """
        old = {name: psutil.Process(self.pid(name)) for name in names}
        workers = [worker for process in old.values() for worker in process.children(recursive=True)]
        for name in names:
            self.kill(name)
        deadline = time.monotonic() + seconds
        _, left = psutil.wait_procs(workers, seconds)
        assert not left, f"{left} outlived {names}"
        for name, process in old.items():
            while read_pid(self.state, name) in (None, process.pid) or not self._is_ready(SERVICES.get(name)):
                assert time.monotonic() < deadline, f"{name} does not run again after {seconds} s"
                time.sleep(0.05)

    def _is_ready(self, service: str | None) -> bool:
        with suppress(NotReady):
            return service is None or self.call(service, "GET", "/health/ready").status == 200
        return False

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m deploy.local` for this shop, with nothing of the test run's own environment."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        paths = ("--state", str(self.state.path), "--env", str(self.env_file))
        return subprocess.run(
            [sys.executable, "-m", "deploy.local", *paths, *arguments],
            cwd=ROOT,
            env=kept,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )


def make_shop(directory: Path, **settings: str) -> Shop:
    """A shop that is not started yet: fresh secrets, free ports, and what else `settings` say."""
    path = directory / ".env"
    envfile.create(path)
    mysql, mongo, kafka, controller, smtp, page, *services = map(str, pick_free(10))
    changes = {
        "MYSQL_PORT": mysql,
        "MONGO_URI_USER": f"mongodb://{LOOPBACK}:{mongo}/microshop_user?replicaSet=rs0",
        "MONGO_URI_PRODUCT": f"mongodb://{LOOPBACK}:{mongo}/microshop_product?replicaSet=rs0",
        "KAFKA_BROKERS": f"{LOOPBACK}:{kafka}",
        "KAFKA_CONTROLLER_PORT": controller,
        "SMTP_PORT": smtp,
        "MAIL_PAGE_PORT": page,
        **dict(zip(PORTS.values(), services, strict=True)),
    }
    env = envfile.read(path) | changes | settings
    path.write_text("".join(f"{name}={value}\n" for name, value in env.items()))
    return Shop(State(directory), env)
