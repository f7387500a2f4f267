"""One stack: its settings, its directory, and its servers, made from .env."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deploy import envfile
from deploy.local.console import say
from deploy.local.errors import LocalError
from deploy.local.servers import Server
from deploy.local.servers.kafka import Kafka
from deploy.local.servers.mail import Mail, answers_smtp
from deploy.local.servers.mongo import Mongo
from deploy.local.servers.mysql import Account, MySQL
from deploy.local.services import SERVICES, Service
from deploy.local.settings import LOOPBACK_NAMES, Settings, load
from deploy.local.state import State
from deploy.service_list import mongo_names


@dataclass(frozen=True)
class Stack:
    """The argument of every command."""

    state: State
    env_file: Path

    @cached_property
    def settings(self) -> Settings:
        """Read at the first use: `make down` and `make logs` work without a .env."""
        if not self.env_file.exists():
            raise LocalError(f"there is no {self.env_file.name} yet: `make env` makes one")
        return load(self.env_file)

    def make_env_file(self) -> None:
        """Make a .env unless there is one."""
        if not self.env_file.exists():
            envfile.create(self.env_file)
            say(f"  made {self.env_file.name} with fresh secrets")

    def port_of(self, service: Service) -> int | None:
        """The HTTP port of a process; None for a worker."""
        return self.settings.port(*service.port) if service.port else None

    @property
    def ports(self) -> dict[str, int]:
        """The services' ports, by the variable that moves them."""
        return {service.port[0]: self.settings.port(*service.port) for service in SERVICES if service.port}

    def servers(self) -> list[Server]:
        """The servers to start. The mail catcher is left out when another SMTP server is named or answers."""
        servers: list[Server] = [self._mysql(), self._mongo(), self._kafka()]
        mail = self.mail()
        if mail and not answers_smtp(mail.smtp_port):
            servers.append(mail)
        return servers

    def mail(self) -> Mail | None:
        """The mail catcher; None when SMTP_SERVER names another machine."""
        if self.settings.get("SMTP_SERVER") not in LOOPBACK_NAMES:
            return None
        return Mail(self.state, self.settings.port("SMTP_PORT", 1025), self.settings.port("MAIL_PAGE_PORT", 8025))

    def _mysql(self) -> MySQL:
        names = ("MYSQL_DATABASE", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD")
        self.settings.require(*names)
        database, user, password, root_password = map(self.settings.get, names)
        migrator = None  # for an .env of an older version, which has one account for everything
        if "MYSQL_MIGRATE_PASSWORD" in self.settings.values:
            migrator = Account(*map(self.settings.get, ("MYSQL_MIGRATE_USER", "MYSQL_MIGRATE_PASSWORD")))
        port = self.settings.port("MYSQL_PORT", 3306)
        return MySQL(self.state, port, (database,), user, password, root_password, migrator)

    def _mongo(self) -> Mongo:
        names = [f"MONGO_URI_{name.upper()}" for name in mongo_names()]
        ports = {self.settings.local_port(name, self.settings.get(name)) for name in names}
        if len(ports) > 1:
            raise LocalError(f"{' and '.join(names)} must name the same port: one server holds all databases")
        return Mongo(self.state, ports.pop())

    def _kafka(self) -> Kafka:
        port = self.settings.local_port("KAFKA_BROKERS", self.settings.get("KAFKA_BROKERS"))
        return Kafka(self.state, port, self.settings.port("KAFKA_CONTROLLER_PORT", 9093))
