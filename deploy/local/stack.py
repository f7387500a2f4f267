"""One stack: its settings, its directory, its servers and services, put together from .env."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deploy.local import envfile
from deploy.local.errors import LocalError
from deploy.local.progress import say
from deploy.local.servers import Server
from deploy.local.servers.kafka import Kafka
from deploy.local.servers.mail import Mail, answers_smtp
from deploy.local.servers.mongo import Mongo
from deploy.local.servers.mysql import Account, MySQL
from deploy.local.services import SERVICES, Service
from deploy.local.settings import LOOPBACK_NAMES, Settings, load
from deploy.local.state import State


@dataclass(frozen=True)
class Stack:
    """What every command works on."""

    state: State
    env_file: Path

    @cached_property
    def settings(self) -> Settings:
        """Read when first needed: `make down` and `make logs` work without."""
        if not self.env_file.exists():
            raise LocalError(f"there is no {self.env_file.name} yet: `make env` makes one")
        return load(self.env_file)

    def make_env_file(self) -> None:
        """Make a .env unless there is one."""
        if not self.env_file.exists():
            envfile.create(self.env_file)
            say(f"  made {self.env_file.name} with fresh secrets")

    def port_of(self, service: Service) -> int | None:
        """The port on which a service answers HTTP."""
        return self.settings.port(*service.port) if service.port else None

    @property
    def ports(self) -> dict[str, int]:
        """The services' ports, by the variable that moves them."""
        return {service.port[0]: self.settings.port(*service.port) for service in SERVICES if service.port}

    def servers(self) -> list[Server]:
        """The servers to start. The mail catcher is none of them when another SMTP server is named or answers."""
        servers: list[Server] = [self._mysql(), self._mongo(), self._kafka()]
        mail = self.mail()
        if mail and not answers_smtp(mail.smtp_port):
            servers.append(mail)
        return servers

    def mail(self) -> Mail | None:
        """The mail catcher; None when mails go to a server elsewhere."""
        if self.settings.get("SMTP_SERVER") not in LOOPBACK_NAMES:
            return None
        return Mail(self.state, self.settings.port("SMTP_PORT", 1025), self.settings.port("MAIL_PAGE_PORT", 8025))

    def _mysql(self) -> MySQL:
        values = self.settings
        values.require("MYSQL_DATABASE", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD")
        return MySQL(
            state=self.state,
            port=values.port("MYSQL_PORT", 3306),
            databases=(values.get("MYSQL_DATABASE"),),
            user=values.get("MYSQL_USER"),
            password=values.get("MYSQL_PASSWORD"),
            root_password=values.get("MYSQL_ROOT_PASSWORD"),
            migrator=self._migrator(),
        )

    def _migrator(self) -> Account | None:
        """None in an .env from before there was one: then one account does all."""
        values = self.settings.values
        if "MYSQL_MIGRATE_PASSWORD" not in values:
            return None
        return Account(self.settings.get("MYSQL_MIGRATE_USER"), values["MYSQL_MIGRATE_PASSWORD"])

    def _mongo(self) -> Mongo:
        names = ("MONGO_URI_USER", "MONGO_URI_PRODUCT")
        ports = {self.settings.local_port(name, self.settings.get(name)) for name in names}
        if len(ports) > 1:
            raise LocalError(f"{' and '.join(names)} must name the same port: one server holds both databases")
        return Mongo(self.state, ports.pop())

    def _kafka(self) -> Kafka:
        brokers = self.settings.get("KAFKA_BROKERS")
        port = self.settings.local_port("KAFKA_BROKERS", brokers)
        return Kafka(self.state, port, self.settings.port("KAFKA_CONTROLLER_PORT", 9093))
