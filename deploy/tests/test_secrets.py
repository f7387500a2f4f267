"""Every secret in a file: the same shop, and no secret in any container's environment."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.compose import secret_files
from deploy.tests.containers import JOBS, OURS, Containers, docker
from tests.e2e.test_journeys import test_a_customer_registers_orders_and_hears_of_each_step  # noqa: F401 -- run here on the containers

SERVERS = {"mongo": {"MONGO_INITDB_ROOT_PASSWORD": "MONGO_ROOT_PASSWORD"}}
SERVERS["mysql"] = {"MYSQL_ROOT_PASSWORD": "MYSQL_ROOT_PASSWORD"}


@pytest.fixture(scope="module")
def shop(bring_up: Callable[[Containers], Containers], directory: Path) -> Containers:
    markers = "deploy/compose/secrets.env"
    settings = {"SECRETS_DIRECTORY": str(directory / "secrets")}
    shop = Containers(directory, "secrets", ("secrets",), settings, env_files=(markers,))
    secret_files.write(shop.env_file, directory / "secrets")
    values = dict(shop.env)
    shop.env = {name: value for name, value in values.items() if name not in secret_files.NAMES}
    shop.save()
    given = {
        server: {"environment": {variable: values[name] for variable, name in plain.items()}}
        for server, plain in SERVERS.items()
        if not reads_files(shop.services[server]["image"])
    }
    (directory / "own.yaml").write_text(json.dumps({"services": given}))
    shop.env = values
    return bring_up(shop)


def reads_files(image: str) -> bool:
    """Whether a server's entry point takes X_FILE; those who don't are given their own passwords directly."""
    search = "grep -q _FILE $(command -v docker-entrypoint.sh)"
    return not docker("run", "--rm", "--entrypoint", "sh", image, "-c", search, check=False).returncode


def test_no_secret_is_in_an_environment_or_on_a_command_line(shop: Containers) -> None:
    secrets = {shop.env[name] for name in secret_files.NAMES}
    for name in (*OURS, *JOBS, "kafka"):
        known = shop.inspect(name)
        text = " ".join([*known["Config"]["Env"], *(known["Config"]["Cmd"] or []), *known["Args"]])
        assert [secret for secret in secrets if secret in text] == []
        assert "replace-by-file" not in text


def test_each_service_sees_its_own_secrets_only(shop: Containers) -> None:
    seen = {name: set(shop.execute(name, "ls", "/run/secrets").stdout.split()) for name in OURS}
    assert seen["user-web"] == {"JWT_SECRET", "ENCRYPTION_KEY", "MONGO_URI_USER"}
    assert seen["product-web"] == {"JWT_SECRET", "MONGO_URI_PRODUCT"}
    assert seen["order-web"] == {"JWT_SECRET", "ENCRYPTION_KEY", "MYSQL_PASSWORD", "DJANGO_SECRET_KEY"}
    for name in ("user", "product", "order"):  # only the worker is a client of Kafka
        assert seen[f"{name}-worker"] == seen[f"{name}-web"] | {f"KAFKA_PASSWORD_{name.upper()}"}
    assert seen["notification"] == {"JWT_SECRET", "SMTP_PASSWORD", "KAFKA_PASSWORD_NOTIFICATION"}
