"""The variables of each process."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy import envfile
from deploy.local.services import environment
from deploy.local.settings import Settings
from deploy.service_list import SERVICES, variables


@pytest.mark.parametrize("package", SERVICES)
def test_a_service_is_given_exactly_what_it_reads(package: str, tmp_path: Path) -> None:
    everything = {name: "1" for service in SERVICES for name in variables(service)}
    settings = Settings(everything | dict.fromkeys(envfile.generated(), "1") | {"STRANGER": "1"}, tmp_path / ".env")
    assert set(environment(package, settings)) == set(variables(package))


def test_no_service_learns_the_secrets_of_another(tmp_path: Path) -> None:
    envfile.create(tmp_path / ".env")
    settings = Settings(envfile.read(tmp_path / ".env"), tmp_path / ".env")
    owners = {
        "MYSQL_PASSWORD": {"order_service"},
        "DJANGO_SECRET_KEY": {"order_service"},
        "SMTP_PASSWORD": {"notification_service"},
        "MONGO_URI_USER": {"user_service"},
        "MONGO_URI_PRODUCT": {"product_service"},
        "MYSQL_ROOT_PASSWORD": set(),
        "MYSQL_MIGRATE_PASSWORD": set(),
        "STAFF_PASSWORD": set(),
    }
    for name, wanted in owners.items():
        knows = {package for package in SERVICES if settings.get(name) in environment(package, settings).values()}
        assert knows == wanted, name


def test_an_empty_variable_is_not_passed_on() -> None:
    settings = Settings({"MONGO_URI_USER": "mongodb://127.0.0.1/u"}, Path(".env"))
    assert "JWT_SECRET" not in environment("user_service", settings)
