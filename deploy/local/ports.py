"""Ports on loopback: free ones, and the owners of the others."""

import socket
from contextlib import suppress

import psutil

from deploy.local.errors import LocalError

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen there now. Connections in TIME_WAIT do not count: the servers ignore them too."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def is_open(port: int) -> bool:
    """Whether a process listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def require_free(needed: dict[str, int]) -> None:
    """Raise LocalError for the first port that is taken; `needed` maps the variable that moves a port to the port."""
    for variable, port in needed.items():
        if not is_free(port):
            owner = find_owner(port)
            taken = f"port {port} ({variable}) is in use" + (f" by {owner}" if owner else "")
            raise LocalError(f"{taken}: end that process, or set another {variable} in .env")


def find_owner(port: int) -> str | None:
    """Name and pid of the process that listens on a port. None when it belongs to another user, who hides it."""
    for connection in psutil.net_connections("tcp"):
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        if listens and connection.pid:
            with suppress(psutil.NoSuchProcess):
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return None
