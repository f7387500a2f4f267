"""The commands, as an operator runs them, on the database that MYSQL_DATABASE names."""

import os
import secrets
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from order_service.superuser import make_superuser

ROOT = Path(__file__).parents[3]
SECONDS = 30


def run(*arguments, folder=ROOT, **environ):
    argv = [sys.executable, *arguments]
    given = {**os.environ, **environ}
    return subprocess.run(argv, cwd=folder, env=given, capture_output=True, text=True, timeout=SECONDS, check=False)


@pytest.mark.django_db
def test_the_migrations_are_complete():
    output = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=output)
    assert "No changes detected" in output.getvalue()


def test_migrating_twice_changes_nothing_the_second_time(mysql):
    assert run("-m", "order_service", "migrate").returncode == 0
    again = run("-m", "order_service", "migrate")
    assert (again.returncode, "No migrations to apply" in again.stdout) == (0, True)


def test_migrating_without_a_server_says_so(mysql):
    ended = run("-m", "order_service", "migrate", MYSQL_PORT="1")
    assert ended.returncode == 1
    assert ended.stderr.startswith("not migrated")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("folder", [ROOT, ROOT / "order_service"])
def test_djangos_commands_run_from_both_folders(mysql, folder):
    ended = run(str(ROOT / "order_service" / "manage.py"), "check", "--fail-level", "WARNING", folder=folder)
    assert (ended.returncode, "no issues" in ended.stdout) == (0, True), ended.stderr


def test_a_superuser_is_made_by_the_command(mysql):
    assert run("-m", "order_service", "migrate").returncode == 0
    email, password = f"{secrets.token_hex(6)}@example.com", secrets.token_urlsafe(16)
    ended = run("-m", "order_service", "superuser", "--email", email, STAFF_PASSWORD=password)
    assert (ended.returncode, email in ended.stdout) == (0, True), ended.stderr
    assert password not in ended.stdout + ended.stderr


@pytest.mark.django_db
def test_a_superuser_is_made_once_and_gets_the_new_password(monkeypatch):
    for password in ("first long password", "second long password"):
        monkeypatch.setenv("STAFF_PASSWORD", password)
        assert make_superuser(["--email", "Boss@Example.com"]) == 0
    user = get_user_model().objects.get(username="boss@example.com")
    assert user.check_password("second long password")
    assert (user.email, user.is_staff, user.is_superuser) == ("boss@example.com", True, True)


@pytest.mark.django_db
def test_a_superuser_that_is_kept_keeps_its_password(monkeypatch):
    for password in ("first long password", "second long password"):
        monkeypatch.setenv("STAFF_PASSWORD", password)
        assert make_superuser(["--keep", "--email", "boss@example.com"]) == 0
    assert get_user_model().objects.get(username="boss@example.com").check_password("first long password")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("email", "password"), [("boss@example.com", "short"), ("no address", "a long enough password")]
)
def test_no_superuser_is_made_with_a_bad_address_or_password(monkeypatch, capsys, email, password):
    monkeypatch.setenv("STAFF_PASSWORD", password)
    assert make_superuser(["--email", email]) == 1
    assert capsys.readouterr().err.startswith("not made: ")
    assert not get_user_model().objects.exists()


@pytest.mark.django_db
def test_without_a_terminal_a_password_is_not_asked_for(monkeypatch, capsys):
    monkeypatch.delenv("STAFF_PASSWORD", raising=False)
    monkeypatch.setattr(sys, "stdin", StringIO())
    assert make_superuser(["--email", "boss@example.com"]) == 1
    assert "password" in capsys.readouterr().err
