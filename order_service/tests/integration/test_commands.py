"""The commands, as an operator runs them, on the database that MYSQL_DATABASE names."""

import base64
import os
import secrets
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

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


def test_a_local_superuser_is_made_by_djangos_own_command(mysql):
    assert run("-m", "order_service", "migrate").returncode == 0
    name, password = secrets.token_hex(6), secrets.token_urlsafe(16)
    asked = ("createsuperuser", "--noinput", "--username", name, "--email", f"{name}@example.com")
    ended = run("-m", "order_service", "manage", *asked, DJANGO_SUPERUSER_PASSWORD=password)
    assert ended.returncode == 0, ended.stderr
    assert password not in ended.stdout + ended.stderr


def test_migrations_run_as_the_account_that_is_named_for_them(mysql):
    ended = run(
        "-m", "order_service", "migrate", MYSQL_MIGRATE_USER="nobody", MYSQL_MIGRATE_PASSWORD="of-no-use-at-all"
    )
    assert ended.returncode == 1
    assert "nobody" in ended.stderr
    assert "of-no-use-at-all" not in ended.stdout + ended.stderr


def test_the_desks_tokens_are_encrypted_anew_by_a_command(mysql):
    assert run("-m", "order_service", "migrate").returncode == 0
    row = "StaffTokens.objects.create(key='a', access='plain', refresh='plain', expires_at='2030-01-01T00:00:00Z')"
    prepare = f"from order_service.desk.models import StaffTokens; StaffTokens.objects.all().delete(); {row}"
    assert run("-m", "order_service", "manage", "shell", "-c", prepare).returncode == 0
    results = []
    for key in (os.environ["ENCRYPTION_KEY"], base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()):
        ended = run("-m", "order_service", "rotate-encryption", ENCRYPTION_KEY=key)
        results.append((ended.returncode, ended.stdout.splitlines()[-1]))
    assert results == [(0, "1 encrypted, 0 can't be read"), (1, "0 encrypted, 1 can't be read")]
