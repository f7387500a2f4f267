"""The shop under test: servers behind proxies, an SMTP sink, every web and worker process, and who starts them again.

It is put together from what `make up` uses, on free ports and with data of its own, and ends with the test run.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from chaos.harness.child import Child
from chaos.harness.http import Target
from chaos.harness.proxy import Proxy
from chaos.harness.servers import Fronted, front
from chaos.harness.supervisor import Supervisor
from chaos.harness.waiting import wait_until
from deploy import envfile
from deploy.local import stack
from deploy.local.jobs import run_jobs
from deploy.local.services import JOBS, SERVICES, Service
from deploy.local.settings import Settings
from deploy.local.supervision.process import Process
from tests.free_ports import pick_free
from tests.shop import make_shop
from tests.smtp_sink import SmtpSink

WEB = {service.name: service for service in SERVICES if service.port}
CHANGES = {"ACCESS_TOKEN_SECONDS": "3540", "RATE_LIMIT_REGISTER": "off", "LOG_FORMAT": "json", "SMTP_SECURITY": "none"}
CHANGES |= {
    "RATE_LIMIT_MAILS": "off",
    "UNVERIFIED_OPEN_PIECES": "off",
    "MAIL_RETRY_PAUSES": "1,2,5",
    "MAIL_DOUBT_PAUSES": "1,2",
}  # no test waits for hours


class _Local(stack.Stack):
    """A stack whose settings come from its own .env alone: the test run's environment names other servers."""

    @cached_property
    def settings(self) -> Settings:
        values = envfile.read(self.env_file) | CHANGES
        return Settings({name: value for name, value in values.items() if value.strip()}, self.env_file)


class Stack:
    """All of it. Attributes `mysql`, `mongo`, `kafka` are servers, `mail` is the proxy in front of `sink`."""

    def __init__(self, directory: Path) -> None:
        shop = make_shop(directory)
        self._local = _Local(shop.state, shop.env_file)
        self.state, self.settings = shop.state, self._local.settings
        self.state.make()
        self.supervisor, self.children = Supervisor(), dict[str, Child]()
        self.sink = SmtpSink()
        self.mail = Proxy("mail", int(self.settings.get("SMTP_PORT")), self.sink.port)
        self.servers: dict[str, Fronted] = {}

    @property
    def mysql(self) -> Fronted:
        return self.servers["mysql"]

    @property
    def mongo(self) -> Fronted:
        return self.servers["mongo"]

    @property
    def kafka(self) -> Fronted:
        return self.servers["kafka"]

    def open(self) -> None:
        """Start everything; returns when every web process takes traffic."""
        self.supervisor.open()
        self.sink.start()
        self.mail.start()
        servers = self._local.servers()  # without the mail catcher, for an SMTP server answers already
        with ThreadPoolExecutor() as pool:
            starts = [
                pool.submit(front, server, self.state, port, self.supervisor)
                for server, port in zip(servers, pick_free(len(servers)), strict=True)
            ]
            self.servers = {fronted.server.name: fronted for fronted in (start.result() for start in starts)}
            list(
                pool.map(lambda name: run_jobs(self._local, [job for job in JOBS if job.server == name]), self.servers)
            )
        for service in SERVICES:
            self.start(service.name)
        for name in WEB:
            self.wait_ready(name)

    def start(self, name: str, copy: int = 1) -> Child:
        """Start a process of the shop such as `order-worker`; a second copy runs beside the first (web: on another port)."""
        service = next(service for service in SERVICES if service.name == name)
        key = name if copy == 1 else f"{name}-{copy}"
        if key not in self.children:
            self.children[key] = Child(self._process(service, key, copy), self.state)
        self.supervisor.start(self.children[key])
        return self.children[key]

    def _process(self, service: Service, key: str, copy: int) -> Process:
        settings = self.settings
        if copy > 1 and service.port:
            values = {**settings.values, service.port[0]: str(pick_free(1)[0])}
            settings = Settings(values, settings.source)
        return replace(service.process(settings), name=key)

    def target(self, name: str) -> Target:
        """Where a web process such as `order-web` or `order-web-2` answers."""
        service = WEB[name.removesuffix("-2")]
        assert service.port
        return Target(name, int(self.children[name].env[service.port[0]]))

    def wait_ready(self, name: str, seconds: float = 60) -> float:
        """Wait until a web process takes traffic; return the seconds it took."""
        target = self.target(name)
        return wait_until(lambda: target.get("/health/ready").status == 200, seconds, lambda: target.get("/health"))

    def heal(self) -> None:
        """Everything of the first copies runs again, whatever a failed test left behind; second copies go."""
        self.sink.behave("ok")
        for proxy in (self.mail, *(fronted.proxy for fronted in self.servers.values())):
            proxy.up()
        for name, child in list(self.children.items()):
            if name.endswith("-2"):
                child.stop()
                del self.children[name]
        for child in (*(fronted.child for fronted in self.servers.values()), *self.children.values()):
            if not child.is_running():
                self.supervisor.start(child)
            child.wake()
        for fronted in self.servers.values():
            fronted.wait()
        for name in WEB:
            self.wait_ready(name)

    def close(self) -> None:
        """End everything."""
        self.supervisor.close([*self.children.values(), *(fronted.child for fronted in self.servers.values())])
        for proxy in (self.mail, *(fronted.proxy for fronted in self.servers.values())):
            proxy.close()
        self.sink.close()
