"""The checks of MySQL that `make test-deploy` makes in a container, in short, on a MySQL that is installed on this machine.

MariaDB does not count: every other test of order_service runs on it. Without a MySQL these tests are skipped, and the end of the
run names the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

import MySQLdb
import pytest

from deploy.compose import mysql_init
from deploy.install.programs import PATH
from deploy.local.servers.mysql import MySQL
from deploy.local.state import ROOT, State
from tests.free_ports import pick_free
from tests.stack import running

PASSWORDS = {"root": "root-of-this-test", "shop": "shop-of-this-test", "mover": "mover-of-this-test"}
CHECKS = (
    "test_plans.py",
    "test_desk_queries.py",
    "test_examined_rows.py",
    "test_timeline.py",
    "test_revocation_rows.py",
)
REASON = "no MySQL is installed on this machine (MariaDB does not count): `make test-deploy` makes these checks in a container"


def find_mysql() -> str | None:
    """The path of a MySQL server that is not MariaDB under MySQL's name."""
    for directory in PATH.split(os.pathsep):
        found = shutil.which("mysqld", path=directory)
        if found and "MariaDB" not in subprocess.run([found, "--version"], capture_output=True, text=True).stdout:
            return found
    return None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MySQL]:
    """The installed MySQL, with an empty database `shop`."""
    program = find_mysql()
    if not program:
        pytest.skip(REASON)
    state = State(tmp_path_factory.mktemp("mysql"))
    state.make()
    server = MySQL(state, pick_free(1)[0], ("shop",), "owner", PASSWORDS["root"], PASSWORDS["root"])
    vars(server)["_server"] = program
    with running(server, state):
        yield server


def connect(server: MySQL, user: str) -> MySQLdb.Connection:
    return MySQLdb.connect(host="127.0.0.1", port=server.port, user=user, password=PASSWORDS[user], database="shop")


def refusal(server: MySQL, user: str, statement: str) -> str:
    """What the server has against a statement: nothing, or its words."""
    with closing(connect(server, user)) as connection:
        try:
            connection.cursor().execute(statement)
        except MySQLdb.Error as error:
            return str(error)
    return ""


def test_the_accounts_of_compose_have_their_rights(server: MySQL, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"MYSQL_DATABASE": "shop", "MYSQL_USER": "shop", "MYSQL_MIGRATE_USER": "mover"}
    settings |= {"MYSQL_ROOT_PASSWORD": PASSWORDS["root"], "MYSQL_PASSWORD": PASSWORDS["shop"]}
    settings |= {"MYSQL_MIGRATE_PASSWORD": PASSWORDS["mover"]}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(mysql_init, "HOST", "127.0.0.1")
    original: Any = MySQLdb.connect
    monkeypatch.setattr(mysql_init.MySQLdb, "connect", partial(original, port=server.port))
    assert mysql_init.main() == 0
    assert refusal(server, "mover", "CREATE TABLE things (id INT)") == ""
    assert refusal(server, "root", "GRANT ALL ON shop.* TO 'shop'@'%'") == ""
    assert mysql_init.main() == 0
    monkeypatch.setattr(mysql_init.MySQLdb, "connect", original)
    assert refusal(server, "shop", "INSERT INTO things VALUES (1)") == ""
    for statement in ("CREATE TABLE other (id INT)", "ALTER TABLE things ADD x INT", "DROP TABLE things"):
        assert "command denied" in refusal(server, "shop", statement)


def test_the_order_services_plans_and_statements_hold(server: MySQL) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    given = kept | {"TEST_MYSQL": f"mysql://root:{PASSWORDS['root']}@127.0.0.1:{server.port}"}
    tests = [str(ROOT / "order_service" / "tests" / "integration" / name) for name in CHECKS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
