"""The services' processes, and their jobs at each start. A service gets the variables of its Config and no others."""

import sys
from dataclasses import dataclass

from deploy.local.ports import LOOPBACK
from deploy.local.settings import Settings
from deploy.local.supervision.process import Process
from deploy.service_list import mongo_names, ports, variables


@dataclass(frozen=True)
class Service:
    """A process of a service that runs until it is stopped."""

    name: str
    package: str
    command: str

    @property
    def port(self) -> tuple[str, int] | None:
        """The variable and the default of the HTTP port; None for a worker."""
        return ports().get(self.package) if self.command == "web" else None

    def process(self, settings: Settings) -> Process:
        """The command with its variables."""
        argv = (sys.executable, "-m", self.package, self.command)
        return Process(self.name, argv, environment(self.package, settings), stop_seconds=35)


SERVICES = (
    Service("user-web", "user_service", "web"),
    Service("user-worker", "user_service", "worker"),
    Service("product-web", "product_service", "web"),
    Service("product-worker", "product_service", "worker"),
    Service("order-web", "order_service", "web"),
    Service("order-worker", "order_service", "worker"),
    Service("notification", "notification_service", "web"),
)

PROCESS_NAMES = ("mysql", "mongo", "kafka", "mail", *(service.name for service in SERVICES))
"""Every process of a stack, in the order of `make status`."""


@dataclass(frozen=True)
class Job:
    """A command that runs to its end at the start, after `server` answers. A `once` job runs at the first start only."""

    server: str
    package: str
    arguments: tuple[str, ...]
    needs_staff: bool = False
    once: bool = False
    extra: tuple[str, ...] = ()  # variables that only this command reads

    @property
    def name(self) -> str:
        """The job's name in messages and marker files."""
        return f"{self.package} {self.arguments[0]}"


JOBS = (
    Job("mysql", "order_service", ("migrate",), extra=("MYSQL_MIGRATE_USER", "MYSQL_MIGRATE_PASSWORD")),
    Job("mongo", "user_service", ("indexes",)),
    Job("mongo", "user_service", ("staff", "--role", "admin"), needs_staff=True, once=True),
    Job("mongo", "product_service", ("indexes",)),
    Job("mongo", "product_service", ("seed",), once=True),
    Job("kafka", "user_service", ("topics",)),
    Job("kafka", "product_service", ("topics",)),
    Job("kafka", "order_service", ("topics",)),
    Job("kafka", "notification_service", ("topics",)),
)
"""The jobs of one server run in this order. The servers' lists run side by side."""


def environment(package: str, settings: Settings) -> dict[str, str]:
    """The variables of a service that have a value. A stolen process reveals its own secrets only."""
    here = {f"{name.upper()}_URL": f"http://{LOOPBACK}:{settings.port(*port)}" for name, port in ports().items()}
    here["DESK_URL"] = f"{here['ORDER_SERVICE_URL']}/admin/"
    known = {"LOG_FORMAT": "json", "SECURE_COOKIES": "off"} | here | dict(settings.values)
    name = package.removesuffix("_service")
    if name in mongo_names():  # each service reads MONGO_URI; the one .env has a variable for each service
        known["MONGO_URI"] = settings.get(f"MONGO_URI_{name.upper()}")
    known["KAFKA_SECURITY"] = "none"  # the stack's own broker has no accounts
    return {variable: known[variable] for variable in variables(package) if variable in known}
