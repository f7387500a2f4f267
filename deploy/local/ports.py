"""Ports on loopback: which are free, and who has the others."""

from __future__ import annotations

import itertools
import random
import socket
from collections.abc import Iterator
from pathlib import Path

from deploy.local.errors import PortInUse

LOOPBACK = "127.0.0.1"
OUR_RANGE = range(15000, 30000)
"""Below the range from which Linux takes the local ports of clients (32768 and up, ip(7)): those come and go."""


def is_free(port: int) -> bool:
    """Whether a server could listen there now. Connections in TIME_WAIT do not count, as for the servers themselves."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def is_open(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


_places = itertools.count(random.SystemRandom().choice(OUR_RANGE))


def pick_free(count: int) -> list[int]:
    """Different ports that are free now: from a random place on, so that two runs side by side do not meet.

    The next call goes on from there: what was picked before may not be listened on yet.
    """
    found: list[int] = []
    for place in itertools.islice(_places, len(OUR_RANGE)):
        port = OUR_RANGE[place % len(OUR_RANGE)]
        if is_free(port):
            found.append(port)
        if len(found) == count:
            break
    return found


def require_free(wanted: dict[str, int]) -> None:
    """Raise PortInUse for the first port that is taken; `wanted` maps the variable that moves a port to the port."""
    for variable, port in wanted.items():
        if not is_free(port):
            owner = find_owner(port)
            taken = f"port {port} ({variable}) is in use" + (f" by {owner}" if owner else "")
            raise PortInUse(f"{taken}: end that process, or set another {variable} in .env")


def find_owner(port: int) -> str | None:
    """Name and pid of the process that listens on a port; None when it belongs to another user, who is not shown."""
    inodes = set(_listening_inodes(port))
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and inodes & set(_socket_inodes(process)):
            return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    """Socket inodes in state LISTEN (0A) on a port; the tables are described in proc_pid_net(5)."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _socket_inodes(process: Path) -> Iterator[str]:
    try:
        for descriptor in (process / "fd").iterdir():
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                yield target[8:-1]
    except OSError:
        return  # it ended, or belongs to another user
