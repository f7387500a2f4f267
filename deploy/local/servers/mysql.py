"""MariaDB or MySQL, whichever is installed. The account's passwords are set at each start, from the settings."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import MySQLdb

from deploy.local.errors import LocalError, NotReady
from deploy.local.ports import LOOPBACK
from deploy.local.process import SYSTEM_PATH, Process
from deploy.local.state import State

RUN_TIME = "SELECT, INSERT, UPDATE, DELETE"


class Account(NamedTuple):
    """Who may log in."""

    user: str
    password: str


@dataclass(frozen=True)
class MySQL:
    """One server with the service's account, and one that makes its tables. `databases` exist after the start.

    Without a `migrator` the account may do anything in them. The first database is the shop's; tests name a second one, which
    Django creates and drops.
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

    @cached_property
    def _server(self) -> str:
        path = os.pathsep.join((os.environ.get("PATH", ""), SYSTEM_PATH))
        server = shutil.which("mariadbd", path=path) or shutil.which("mysqld", path=path)
        if not server:
            raise LocalError("no MariaDB or MySQL server is installed: deploy/local/bootstrap.sh installs one")
        return server

    @property
    def _is_mariadb(self) -> bool:
        """Debian installs MariaDB under both names, one a link to the other."""
        return Path(self._server).resolve().name == "mariadbd"

    def prepare(self) -> None:
        """Initialise the data directory beside its place and move it there whole, so that a broken attempt is no data."""
        data = self.state.data / "mysql"
        if not data.exists():
            fresh = self.state.data / "mysql.new"
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            with tempfile.TemporaryDirectory() as directory:
                # mariadb-install-db is a shell script that stumbles over a space in the path.
                link = Path(directory) / "data"
                link.symlink_to(fresh)
                done = subprocess.run(self._initialise(link), capture_output=True, text=True, check=False)
            if done.returncode:
                raise LocalError(f"the MySQL data directory could not be made: {done.stderr.strip()[-400:]}")
            fresh.rename(data)
        init = self.state.run / "mysql-init.sql"
        init.touch(mode=0o600)
        init.write_text("\n".join(self._accounts()) + "\n")

    def _initialise(self, directory: Path) -> list[str]:
        if self._is_mariadb:
            install = shutil.which("mariadb-install-db", path=SYSTEM_PATH) or "mariadb-install-db"
            # "socket" makes one root account only, and no password is ever empty; the start gives it one.
            socket = "--auth-root-authentication-method=socket"
            return [install, "--no-defaults", f"--datadir={directory}", "--skip-test-db", socket, *_as_root()]
        return [self._server, "--no-defaults", "--initialize-insecure", f"--datadir={directory}", *_as_root()]

    def _accounts(self) -> list[str]:
        """Statements that make databases and accounts what the settings say: one a line, as init_file wants them."""
        root, own = _quote(self.root_password), Account(self.user, self.password)
        lines = [f"CREATE USER IF NOT EXISTS 'root'@'{LOOPBACK}'"]
        lines += [f"ALTER USER 'root'@'{host}' IDENTIFIED BY {root}" for host in ("localhost", LOOPBACK)]
        for account in (own, self.migrator) if self.migrator else (own,):
            name = f"{_quote(account.user)}@'{LOOPBACK}'"
            lines += [
                f"CREATE USER IF NOT EXISTS {name}",
                f"ALTER USER {name} IDENTIFIED BY {_quote(account.password)}",
            ]
        lines += [f"GRANT ALL PRIVILEGES ON *.* TO 'root'@'{LOOPBACK}' WITH GRANT OPTION"]
        charset = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
        lines += [f"CREATE DATABASE IF NOT EXISTS `{self.databases[0]}` {charset}"]
        for database in self.databases:
            place, owner = f"`{database}`.*", self.migrator or own
            lines += [f"GRANT ALL PRIVILEGES ON {place} TO {_quote(a.user)}@'{LOOPBACK}'" for a in (own, owner)]
            if self.migrator:  # what an earlier start gave it is taken back; a REVOKE without a grant would be an error
                user = f"{_quote(self.user)}@'{LOOPBACK}'"
                lines += [f"REVOKE ALL PRIVILEGES ON {place} FROM {user}", f"GRANT {RUN_TIME} ON {place} TO {user}"]
        return [line + ";" for line in lines]

    def process(self) -> Process:
        argv = (
            self._server,
            "--no-defaults",
            f"--datadir={self.state.data / 'mysql'}",
            "--socket=mysql.sock",  # relative to the data directory: the path of a socket is at most 107 bytes
            f"--pid-file={self.state.data / 'mysql' / 'server.pid'}",
            f"--port={self.port}",
            f"--bind-address={LOOPBACK}",
            f"--init-file={self.state.run / 'mysql-init.sql'}",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_unicode_ci",
            "--innodb-buffer-pool-size=128M",
            "--performance-schema=OFF",
            *([] if self._is_mariadb else ["--mysqlx=OFF"]),
            *_as_root(),
        )
        # A MariaDB that is told to end while it starts hangs: then it is killed, which its log makes harmless.
        return Process(self.name, argv, stop_seconds=10)

    def check(self) -> None:
        """Log in as the service does."""
        try:
            MySQLdb.connect(
                host=LOOPBACK,
                port=self.port,
                user=self.user,
                password=self.password,
                database=self.databases[0],
                connect_timeout=2,
            ).close()  # type: ignore[no-untyped-call] # the stubs leave it out
        except MySQLdb.OperationalError as error:
            raise NotReady(f"mysql on port {self.port} does not answer: {error.args[-1]}") from None


def _as_root() -> tuple[str, ...]:
    """The server refuses to run as root unless it is told to."""
    return ("--user=root",) if os.geteuid() == 0 else ()


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
