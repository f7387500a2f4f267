"""MariaDB or MySQL, whichever is installed. The account's passwords are set at each start, from the settings."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import MySQLdb

from deploy.local.errors import LocalError, NotReady
from deploy.local.ports import LOOPBACK
from deploy.local.process import SYSTEM_PATH, Process
from deploy.local.state import State


@dataclass(frozen=True)
class MySQL:
    """One server with one account. `databases` exist after the start; the account may do anything in them.

    The first one is the shop's; tests name a second one, which Django creates and drops.
    """

    state: State
    port: int
    databases: tuple[str, ...]
    user: str
    password: str
    root_password: str
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
        root, password, user = _quote(self.root_password), _quote(self.password), _quote(self.user)
        lines = [f"CREATE USER IF NOT EXISTS 'root'@'{LOOPBACK}'", f"CREATE USER IF NOT EXISTS {user}@'{LOOPBACK}'"]
        lines += [f"ALTER USER 'root'@'{host}' IDENTIFIED BY {root}" for host in ("localhost", LOOPBACK)]
        lines += [f"ALTER USER {user}@'{LOOPBACK}' IDENTIFIED BY {password}"]
        lines += [f"GRANT ALL PRIVILEGES ON *.* TO 'root'@'{LOOPBACK}' WITH GRANT OPTION"]
        charset = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
        lines += [f"CREATE DATABASE IF NOT EXISTS `{self.databases[0]}` {charset}"]
        lines += [f"GRANT ALL PRIVILEGES ON `{database}`.* TO {user}@'{LOOPBACK}'" for database in self.databases]
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
