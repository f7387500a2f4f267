"""MariaDB or MySQL, whichever is installed. Each start sets the passwords of the accounts from the settings."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import MySQLdb

from deploy.install.programs import find_program
from deploy.local.errors import LocalError, NotReady
from deploy.local.ports import LOOPBACK
from deploy.local.state import State
from deploy.local.supervision.process import Process

OPTIONS = Path(__file__).with_name("mysql.cnf")
RUN_TIME = "SELECT, INSERT, UPDATE, DELETE"


class Account(NamedTuple):
    """A login."""

    user: str
    password: str


@dataclass(frozen=True)
class MySQL:
    """One server with the service's account, and an account that owns its tables.

    Without a `migrator` the service's account may do anything in the databases. The first of the `databases` is the shop's and is
    created. Tests name a second one, which Django creates and drops.
    """

    state: State
    port: int
    databases: tuple[str, ...]
    user: str
    password: str
    root_password: str
    migrator: Account | None = None
    name = "mysql"

    @property
    def ports(self) -> dict[str, int]:
        return {"MYSQL_PORT": self.port}

    @property
    def _temporary(self) -> Path:
        return self.state.data / "mysql-tmp"

    @cached_property
    def _server(self) -> str:
        return find_program("mariadbd", "mysqld")

    def prepare(self) -> None:
        """Initialise the data directory beside its place and move it there complete, so that a failed attempt leaves no data."""
        data = self.state.data / "mysql"
        if not data.exists():
            fresh = self.state.data / "mysql.new"
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            with tempfile.TemporaryDirectory() as directory:
                # mariadb-install-db is a shell script that fails on a space in the path.
                link = Path(directory) / "data"
                link.symlink_to(fresh)
                done = subprocess.run(self._initialise(link), capture_output=True, text=True, check=False)
            if done.returncode:
                raise LocalError(f"the MySQL data directory could not be made: {done.stderr.strip()[-400:]}")
            fresh.rename(data)
        self._temporary.mkdir(exist_ok=True)
        init = self.state.run / "mysql-init.sql"
        init.touch(mode=0o600)
        init.write_text(";\n".join((*self._accounts(), "")))

    def _initialise(self, directory: Path) -> list[str]:
        # Its own directory for temporary tables: two servers that start at the same moment use the same names in /tmp.
        options = ["--no-defaults", f"--datadir={directory}", f"--tmpdir={directory.parent}", *_as_root()]
        if Path(self._server).resolve().name != "mariadbd":  # Debian installs MariaDB under both names
            return [self._server, *options, "--initialize-insecure"]
        # "socket" makes one root account without an empty password. The start gives it a password.
        return [
            find_program("mariadb-install-db"),
            *options,
            "--skip-test-db",
            "--auth-root-authentication-method=socket",
        ]

    def _accounts(self) -> list[str]:
        """Statements for databases and accounts, one on each line, as init_file requires."""
        root, own = Account("root", self.root_password), Account(self.user, self.password)
        accounts = [root, own, self.migrator] if self.migrator else [root, own]
        lines = [f"CREATE USER IF NOT EXISTS {_login(account)}" for account in accounts]
        lines += [f"ALTER USER {_login(account)} IDENTIFIED BY {_quote(account.password)}" for account in accounts]
        lines += [f"ALTER USER 'root'@'localhost' IDENTIFIED BY {_quote(root.password)}"]
        lines += [f"GRANT ALL PRIVILEGES ON *.* TO {_login(root)} WITH GRANT OPTION"]
        charset = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
        lines += [f"CREATE DATABASE IF NOT EXISTS `{self.databases[0]}` {charset}"]
        for place in (f"`{database}`.*" for database in self.databases):
            lines += [f"GRANT ALL PRIVILEGES ON {place} TO {_login(account)}" for account in accounts[1:]]
            if self.migrator:  # an earlier start may have granted more; a REVOKE without a grant would be an error
                lines += [f"REVOKE ALL PRIVILEGES ON {place} FROM {_login(own)}"]
                lines += [f"GRANT {RUN_TIME} ON {place} TO {_login(own)}"]
        return lines

    def process(self) -> Process:
        data, init = self.state.data / "mysql", self.state.run / "mysql-init.sql"
        own = (
            f"--datadir={data}",
            f"--tmpdir={self._temporary}",
            f"--port={self.port}",
            f"--init-file={init}",
            *_as_root(),
        )
        # A MariaDB that is stopped during its start hangs and is then killed. Its log repairs the data.
        return Process(self.name, (self._server, f"--defaults-file={OPTIONS}", *own), stop_seconds=10)

    def check(self) -> None:
        """Log in with the service's account."""
        login = {"user": self.user, "password": self.password, "database": self.databases[0]}
        try:
            connection = MySQLdb.connect(host=LOOPBACK, port=self.port, connect_timeout=2, **login)
            connection.close()  # type: ignore[no-untyped-call] # the stubs leave it out
        except MySQLdb.OperationalError as error:
            raise NotReady(f"mysql on port {self.port} does not answer: {error.args[-1]}") from None


def _as_root() -> tuple[str, ...]:
    """The server refuses to run as root without this option."""
    return ("--user=root",) if os.geteuid() == 0 else ()


def _login(account: Account) -> str:
    return f"{_quote(account.user)}@'{LOOPBACK}'"


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
