"""The environment of a test run, set before Django reads its settings: free ports and fresh secrets.

Loaded by pytest's addopts. The servers themselves are started by `tests/stack.py`, when the first test asks for one.
Nothing of the developer's own environment or .env reaches a test, but for TEST_MYSQL=mysql://USER:PASSWORD@127.0.0.1:PORT: the
tests of order_service then use that server, in databases of their own, and start none.
"""

from __future__ import annotations

import base64
import os
import secrets
import signal
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import pytest
import structlog

from deploy.local.ports import LOOPBACK
from tests.free_ports import pick_free
from tests.workers import keep_to_own_ports, worker

KINDS = {
    "unit": "unit",
    "integration": "integration",
    "contracts": "contract",
    "architecture": "architecture",
    "e2e": "e2e",
    "access": "e2e",
    "browser": "browser",
    "fuzz": "fuzz",
}
"""Folder under tests → mark."""


def make_environment() -> dict[str, str]:
    """Every variable that the four services need, with ports that are free now."""
    mysql, mongo, kafka, controller, smtp, user, product, order, notification = pick_free(9)
    other = urlsplit(os.environ.get("TEST_MYSQL", ""))
    return {
        "JWT_SECRET": secrets.token_urlsafe(48),
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(48),
        "ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "MYSQL_HOST": LOOPBACK,
        "MYSQL_PORT": str(other.port or mysql),
        "MYSQL_DATABASE": "ordertests" if other.port else "microshop",
        "MYSQL_USER": other.username or "microshop",
        "MYSQL_PASSWORD": other.password or secrets.token_urlsafe(24),
        "MYSQL_ROOT_PASSWORD": secrets.token_urlsafe(24),
        "MONGO_URI": f"mongodb://{LOOPBACK}:{mongo}/microshop_test?replicaSet=rs0",
        "KAFKA_BROKERS": f"{LOOPBACK}:{kafka}",
        "KAFKA_CONTROLLER_PORT": str(controller),
        "SMTP_SERVER": LOOPBACK,
        "SMTP_PORT": str(smtp),
        "SMTP_SECURITY": "none",
        "SMTP_USERNAME": "microshop",
        "SMTP_PASSWORD": secrets.token_urlsafe(24),
        "FROM_EMAIL": "shop@example.com",
        "USER_SERVICE_PORT": str(user),
        "PRODUCT_SERVICE_PORT": str(product),
        "ORDER_SERVICE_PORT": str(order),
        "NOTIFICATION_SERVICE_PORT": str(notification),
        "PRODUCT_SERVICE_URL": f"http://{LOOPBACK}:{product}",
        "NOTIFICATION_SERVICE_URL": f"http://{LOOPBACK}:{notification}",
        "RATE_LIMIT_REGISTER": "off",
        "RATE_LIMIT_LINKS": "off",
        "RATE_LIMIT_MAILS": "off",
        "UNVERIFIED_OPEN_PIECES": "off",
    }


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Set the environment before pytest-django loads the settings of order_service."""
    keep_to_own_ports()
    _log_plain_tracebacks()
    os.environ.update(make_environment(), DJANGO_SETTINGS_MODULE="order_service.settings")
    signal.signal(signal.SIGTERM, _end_run)
    if worker():  # Ctrl-C reaches the workers, too, and the process that started them ends them
        signal.signal(signal.SIGINT, _end_run)


def _log_plain_tracebacks() -> None:
    """structlog's own default draws each exception with all local variables, which takes seconds of CPU."""
    *processors, console = structlog.get_config()["processors"]
    console.exception_formatter = structlog.dev.plain_traceback
    structlog.configure(processors=[*processors, console])


def _end_run(_signal: int, _frame: FrameType | None) -> None:
    """At SIGTERM a run still stops the servers that it started. A second signal does not disturb that."""
    signal.signal(signal.SIGTERM, _ignore)
    if worker():
        signal.signal(signal.SIGINT, _ignore)
    pytest.exit("terminated", returncode=143)


def _ignore(_signal: int, _frame: FrameType | None) -> None:
    """Not SIG_IGN: the processes that stop the servers would inherit that."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test by its folder: tests/local/test_x.py counts as a unit test."""
    for item in items:
        item.add_marker(kind_of(item.path.relative_to(config.rootpath)))


def kind_of(path: Path) -> str:
    """The kind of the tests in a file, by the folders between `tests` and the file."""
    if path.parts[0] in ("chaos", "deploy"):
        return path.parts[0]
    folders = path.parts[path.parts.index("tests") + 1 : -1]
    return next((KINDS[folder] for folder in folders if folder in KINDS), "unit")
