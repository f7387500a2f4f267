"""A shop in containers of its own, beside any other on this machine: a project name, free ports and fresh secrets."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from pathlib import Path
from socket import create_connection
from typing import Any
from urllib.parse import quote

from deploy import envfile
from deploy.customers.mailbox import Mailbox
from deploy.local.errors import NotReady
from deploy.local.ports import LOOPBACK
from deploy.local.probe import Answer, call
from deploy.local.state import ROOT
from deploy.local.supervision.waiting import until_ready
from tests.architecture.compose import package_of, read
from tests.free_ports import pick_free
from tests.shop import PORTS

BUILT = {name: service for name, service in read("docker-compose.yaml")["services"].items() if package_of(service)}
OURS = tuple(name for name, service in BUILT.items() if service["restart"] == "unless-stopped")
JOBS = tuple(name for name in BUILT if name not in OURS)
PUBLISHED = ("KAFKA_PUBLISHED_PORT", "KAFKA_UI_PORT", "MONGO_PUBLISHED_PORT", "MYSQL_PUBLISHED_PORT")
PUBLISHED += ("SMTP_PUBLISHED_PORT", "MAIL_PAGE_PORT", "KAFKA_2_PUBLISHED_PORT")
PUBLISHED += ("KAFKA_3_PUBLISHED_PORT", "HTTPS_PORT", "HTTP_PORT", *PORTS.values())
UP_SECONDS = 600
READY_SECONDS = 120
PAUSES = {signal.SIGSTOP: "pause", signal.SIGCONT: "unpause"}


def docker(*arguments: str, check: bool = True, seconds: float = UP_SECONDS) -> subprocess.CompletedProcess[str]:
    """Run docker with nothing of the test run's own settings: compose would prefer them to the .env."""
    kept = {name: os.environ[name] for name in os.environ if name in ("PATH", "HOME") or name.startswith("DOCKER_")}
    command = ["docker", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, timeout=seconds, check=False)
    assert not check or not done.returncode, f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done


@dataclass
class Containers:
    """A variant of the shop; it has what the journeys ask of a shop: `env`, `call`, `kill`, `mailbox`."""

    directory: Path
    variant: str
    overrides: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    env_files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.env_file = self.directory / ".env"
        envfile.create(self.env_file)
        ports = dict(zip(PUBLISHED, map(str, pick_free(len(PUBLISHED))), strict=True))
        self.env = envfile.read(self.env_file) | ports | self.settings
        self.save()

    def save(self) -> None:
        """Write `env` to the .env."""
        self.env_file.write_text("".join(f"{name}={value}\n" for name, value in self.env.items()))

    @property
    def project(self) -> str:
        return f"microshop-test-{self.variant}"

    def compose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `docker compose` for this project."""
        files = ("docker-compose.yaml", *(f"deploy/compose/{name}.yaml" for name in self.overrides))
        files += tuple(str(path) for path in sorted(self.directory.glob("own*.yaml")))
        env_files = (str(self.env_file), *self.env_files)
        options = [part for name in env_files for part in ("--env-file", name)]
        options += [part for name in files for part in ("-f", name)]
        return docker("compose", "-p", self.project, *options, *arguments, check=check)

    @property
    def services(self) -> dict[str, Any]:
        """What compose makes of all the files."""
        services: dict[str, Any] = json.loads(self.compose("config", "--format", "json").stdout)["services"]
        return services

    def missing(self) -> list[str]:
        """The services whose image is neither built here nor on this machine."""
        services = self.services.items()
        foreign = {name: service["image"] for name, service in services if "build" not in service}
        here = {image: not docker("image", "inspect", image, check=False).returncode for image in {*foreign.values()}}
        return sorted(name for name, image in foreign.items() if not here[image])

    @contextmanager
    def up(self) -> Iterator[Containers]:
        """The shop while the block lasts: all of its services but those whose image is missing. Volumes go with it."""
        try:
            began = time.monotonic()
            self.compose("up", "-d", *(self.services.keys() - self.missing()))
            self.wait_ready()
            self.seconds = time.monotonic() - began
            yield self
        finally:
            self.compose("down", "--volumes", "--remove-orphans", "--timeout", "20", check=False)

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until every service that answers HTTP says that it may take traffic."""
        for service in PORTS:
            until_ready(lambda service=service: self._check(service), seconds, every=0.3)

    def _check(self, service: str) -> None:
        answer = self.call(service, "GET", "/health/ready")
        if answer.status != 200:
            raise NotReady(f"{service} is not ready: {answer.body.decode(errors='replace')}")

    def url(self, service: str, path: str = "") -> str:
        """The address of `user`, `product`, `order` or `notification` from outside."""
        return f"http://{LOOPBACK}:{self.env[PORTS[service]]}{path}"

    def call(self, service: str, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        """One request to `user`, `product`, `order` or `notification`, as from outside."""
        return call(int(self.env[PORTS[service]]), method, path, body, token)

    def mailbox(self) -> Mailbox:
        """The mails from now on."""
        box = Mailpit(int(self.env["MAIL_PAGE_PORT"]))
        return box if box.get("/api/v1/info").status == 200 else Mailbox(int(self.env["MAIL_PAGE_PORT"]))

    def ids(self) -> dict[str, str]:
        """The running containers, by service."""
        found = [json.loads(line) for line in self.compose("ps", "--format", "json").stdout.splitlines()]
        return {each["Service"]: each["ID"] for each in found}

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine knows of a container, also of one that has ended."""
        identity = self.compose("ps", "-a", "-q", service).stdout.strip()
        answer: dict[str, Any] = json.loads(docker("inspect", identity).stdout)[0]
        return answer

    def execute(self, service: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in a container."""
        return self.compose("exec", "-T", service, *command, check=check)

    def kill(self, service: str, signal_number: int = signal.SIGKILL) -> None:
        """Send a signal to a container's first process, from outside: the engine then starts it again as after a crash.

        (`docker kill` would count as a person's wish, and the container would stay down.)
        """
        if signal_number in PAUSES:
            self.compose(PAUSES[signal.Signals(signal_number)], service)
            return
        pid = self.inspect(service)["State"]["Pid"]
        code = f"import os; os.kill({pid}, {int(signal_number)})"
        image = self.inspect("user-web")["Image"]  # any that has Python
        options = ("--rm", "--pid", "host", "--network", "none", "--user", "0", "--entrypoint", "python")
        docker("run", *options, image, "-c", code)


class Mailpit(Mailbox):
    """The mails in Compose's catcher. A stand-in for its image may be sendria."""

    def paths(self, recipient: str) -> list[str]:
        """mailpit has a search. Its results are newest first."""
        query = quote(f'to:"{recipient}"')
        found = self.get(f"/api/v1/search?limit=200&query={query}").json["messages"]
        return [f"/api/v1/message/{mail['ID']}/raw" for mail in reversed(found)]


class BehindTls(Containers):
    """The same from outside, through the proxy: the services' own ports are closed."""

    names = {"user": "users", "product": "products", "order": "orders", "notification": "notifications"}

    def call(self, service: str, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        """One request over HTTPS; the answer's headers are in `headers`."""
        fields = {"Accept": "application/json", "Content-Type": "application/json"}
        fields |= {"Authorization": f"Bearer {token}"} if token else {}
        return self.ask(service, method, path, None if body is None else json.dumps(body), fields)

    def ask(self, service: str, method: str, path: str, data: str | None, fields: dict[str, str]) -> Answer:
        """The same with any body and headers, to the service's host name, wherever that name leads."""
        host = f"{self.names[service]}.{self.env['SHOP_DOMAIN']}"
        context = ssl.create_default_context(cafile=f"{self.env['TLS_DIRECTORY']}/fullchain.pem")
        connection = HTTPSConnection(host, timeout=20)
        try:
            plain = create_connection((LOOPBACK, int(self.env["HTTPS_PORT"])), timeout=20)
            connection.sock = context.wrap_socket(plain, server_hostname=host)
            connection.request(method, path, data, fields)
            answer = connection.getresponse()
            self.headers = answer.headers
            return Answer(answer.status, answer.read())
        except OSError as error:
            raise NotReady(f"{host} does not answer ({error})") from None
        finally:
            connection.close()
