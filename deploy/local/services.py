"""The services' processes and their jobs at the start, and which variables each of them is given."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from deploy.local.ports import LOOPBACK
from deploy.local.process import Process
from deploy.local.settings import Settings

SHARED = (
    *("JWT_SECRET", "JWT_ISSUER", "JWT_AUDIENCE", "KAFKA_BROKERS", "BIND_HOST", "LOG_LEVEL", "LOG_FORMAT"),
    *("CORS_ORIGINS", "PROXY_COUNT"),
)

VARIABLES: dict[str, tuple[str, ...]] = {
    "user_service": (
        *SHARED,
        "USER_SERVICE_PORT",
        "ACCESS_TOKEN_SECONDS",
        "REFRESH_TOKEN_SECONDS",
        "RATE_LIMIT_REGISTER",
        "RATE_LIMIT_LOGIN",
        "RATE_LIMIT_RESET",
        "STAFF_TOTP",
        "ORDER_SERVICE_URL",
        "SHOP_NAME",
    ),
    "product_service": (*SHARED, "PRODUCT_SERVICE_PORT", "SHOP_CURRENCY", "ORDER_PENDING_LIMIT"),
    "order_service": (
        *SHARED,
        "ORDER_SERVICE_PORT",
        "ORDER_PENDING_LIMIT",
        "MYSQL_HOST",
        "MYSQL_PORT",
        "MYSQL_DATABASE",
        "MYSQL_USER",
        "MYSQL_PASSWORD",
        "DJANGO_SECRET_KEY",
        "USER_SERVICE_URL",
        "PRODUCT_SERVICE_URL",
        "NOTIFICATION_SERVICE_URL",
        "SECURE_COOKIES",
        "ALLOWED_HOSTS",
        "SHOP_NAME",
    ),
    "notification_service": (
        *SHARED,
        "NOTIFICATION_SERVICE_PORT",
        "SMTP_SERVER",
        "SMTP_PORT",
        "SMTP_SECURITY",
        "SMTP_USERNAME",
        "SMTP_PASSWORD",
        "MAIL_CONCURRENCY",
        "FROM_EMAIL",
        "SHOP_NAME",
        "PUBLIC_URL",
        "USER_SERVICE_URL",
    ),
}
"""What a service may read, so that a stolen process gives away its own secrets only."""

MONGO_URIS = {"user_service": "MONGO_URI_USER", "product_service": "MONGO_URI_PRODUCT"}
"""Each service reads MONGO_URI; one .env for all has to tell them apart."""

NEIGHBOURS = {
    "USER_SERVICE_URL": ("USER_SERVICE_PORT", 4000),
    "PRODUCT_SERVICE_URL": ("PRODUCT_SERVICE_PORT", 8000),
    "ORDER_SERVICE_URL": ("ORDER_SERVICE_PORT", 3000),
    "NOTIFICATION_SERVICE_URL": ("NOTIFICATION_SERVICE_PORT", 5000),
}
"""The services that others ask: unless a variable names another place, they are in this very stack."""


@dataclass(frozen=True)
class Service:
    """A process of a service that runs until it is stopped; `port` is set where it answers HTTP."""

    name: str
    package: str
    command: str
    port: tuple[str, int] | None = None

    def process(self, settings: Settings) -> Process:
        """The command with its variables."""
        argv = (sys.executable, "-m", self.package, self.command)
        return Process(self.name, argv, environment(self.package, settings), stop_seconds=35)


SERVICES = (
    Service("user-web", "user_service", "web", ("USER_SERVICE_PORT", 4000)),
    Service("user-worker", "user_service", "worker"),
    Service("product-web", "product_service", "web", ("PRODUCT_SERVICE_PORT", 8000)),
    Service("product-worker", "product_service", "worker"),
    Service("order-web", "order_service", "web", ("ORDER_SERVICE_PORT", 3000)),
    Service("order-worker", "order_service", "worker"),
    Service("notification", "notification_service", "web", ("NOTIFICATION_SERVICE_PORT", 5000)),
)

PROCESS_NAMES = ("mysql", "mongo", "kafka", "mail", *(service.name for service in SERVICES))
"""Every process of a stack, in the order in which people read them."""


@dataclass(frozen=True)
class Job:
    """A command that runs to its end at the start, after `server` answers; `once` for data that is made one time."""

    server: str
    package: str
    arguments: tuple[str, ...]
    needs_staff: bool = False
    once: bool = False
    extra: tuple[str, ...] = ()  # variables that this command alone may read

    @property
    def name(self) -> str:
        """How it is spoken of, in lines and marker files."""
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
"""In the order in which those of one server run; the servers' lists run side by side."""


def environment(package: str, settings: Settings) -> dict[str, str]:
    """The variables of a service, as far as they are set."""
    here = {name: f"http://{LOOPBACK}:{settings.port(*port)}" for name, port in NEIGHBOURS.items()}
    known = {"LOG_FORMAT": "console", "SECURE_COOKIES": "off"} | here | dict(settings.values)
    values = {name: known[name] for name in VARIABLES[package] if name in known}
    if package in MONGO_URIS:
        values["MONGO_URI"] = settings.get(MONGO_URIS[package])
    return values
