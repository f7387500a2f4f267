"""What a change of .env concerns."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from deploy import envfile
from deploy.local.commands.changes import compare, find_changes, record
from deploy.local.settings import Settings
from deploy.local.state import State


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    envfile.create(tmp_path / ".env")
    values = {name: value for name, value in envfile.read(tmp_path / ".env").items() if value}
    return Settings(values, tmp_path / ".env")


def changed(settings: Settings, **values: str) -> Settings:
    return Settings({**settings.values, **values}, settings.source)


@pytest.mark.parametrize(
    ("values", "servers", "processes"),
    [
        ({}, (), ()),
        ({"MAIL_CONCURRENCY": "8"}, (), ("notification",)),
        ({"PRODUCT_SERVICE_URL": "http://10.0.0.2:8000"}, (), ("order-web", "order-worker")),
        # order_service and notification_service call the service at its port
        ({"USER_SERVICE_PORT": "4100"}, (), ("user-web", "user-worker", "order-web", "order-worker", "notification")),
        ({"SMTP_PASSWORD": "another"}, (), ("notification",)),
        ({"MYSQL_ROOT_PASSWORD": "another"}, ("mysql",), ()),
        ({"MAIL_PAGE_PORT": "8026"}, ("mail",), ()),
        ({"KAFKA_UI_PORT": "8081"}, (), ()),  # Compose alone reads it
    ],
)
def test_a_change_concerns_the_processes_that_read_it(
    settings: Settings, values: dict[str, str], servers: tuple[str, ...], processes: tuple[str, ...]
) -> None:
    found = compare(settings, changed(settings, **values))
    assert found.names == tuple(values)
    assert (found.servers, tuple(service.name for service in found.services)) == (servers, processes)


def test_another_staff_account_needs_its_job_again(settings: Settings) -> None:
    found = compare(settings, changed(settings, STAFF_EMAIL="boss@example.com"))
    assert ([job.name for job in found.jobs], found.services) == (["user_service staff"], ())


def test_a_variable_that_was_removed_is_a_change_too(settings: Settings) -> None:
    fewer = Settings({n: v for n, v in settings.values.items() if n != "SHOP_NAME"}, settings.source)
    assert compare(settings, fewer).names == ("SHOP_NAME",)


def test_the_settings_of_the_last_start_are_kept_for_their_owner_alone(settings: Settings, tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    state.make()
    record(state, settings)
    assert stat.S_IMODE(state.ready.stat().st_mode) == 0o600
    assert find_changes(state, settings).names == ()
    assert find_changes(state, changed(settings, SHOP_NAME="Other")).names == ("SHOP_NAME",)
