"""smtplib over sockets with one deadline for all their waits.

A socket's own timeout starts again with each byte. A server that sends one byte a second would hold a mail for hours. Here each
wait ends at the deadline of the whole mail.
"""

import math
import smtplib
import socket
import ssl
import time
from functools import cache
from typing import Any


class _BoundedSocket(socket.socket):
    deadline = math.inf

    def recv_into(self, *where: Any) -> int:
        _bound(self, self.deadline)
        return super().recv_into(*where)

    def sendall(self, *what: Any) -> None:
        _bound(self, self.deadline)
        super().sendall(*what)  # its timeout is for all data


class _BoundedTlsSocket(ssl.SSLSocket):
    deadline = math.inf

    def recv_into(self, *where: Any) -> int:
        _bound(self, self.deadline)
        return super().recv_into(*where)

    def send(self, *what: Any) -> int:  # sendall calls it for each piece
        _bound(self, self.deadline)
        return super().send(*what)


class Smtp(smtplib.SMTP):
    """A connection to an SMTP server. All its waits end at `deadline`, in seconds of time.monotonic().

    `data_sent`: whether the server may have the message. It is true from the DATA command on, whatever fails afterwards.
    """

    sock: _BoundedSocket | _BoundedTlsSocket | None

    def __init__(self, server: str, port: int, deadline: float, tls: ssl.SSLContext | None = None) -> None:
        """Connect and read the greeting. `tls`: use TLS from the first byte. Raises OSError. smtplib's errors are OSErrors."""
        self.deadline, self._tls, self.data_sent = deadline, tls, False
        super().__init__(server, port, local_hostname=_own_name())

    def limit(self, deadline: float) -> None:
        """Set the deadline of all waits. Call it again after STARTTLS, which makes another socket."""
        self.deadline = deadline
        if self.sock is not None:
            self.sock.deadline = deadline

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Send the message."""
        self.data_sent = True
        return super().data(msg)

    def _get_socket(self, host: str, port: int, _timeout: float) -> socket.socket:
        sock = _connect(host, port, self.deadline)
        if self._tls is None:
            return sock
        wrapped = self._tls.wrap_socket(sock, server_hostname=host)
        wrapped.deadline = self.deadline  # type: ignore[attr-defined] # make_tls_context() sets its class
        return wrapped


def make_tls_context() -> ssl.SSLContext:
    """A context that verifies the server. The waits of its sockets end at the deadline."""
    context = ssl.create_default_context()
    context.sslsocket_class = _BoundedTlsSocket
    return context


def _connect(host: str, port: int, deadline: float) -> _BoundedSocket:
    """Connect to the first address of `host` that accepts. The addresses and the mail itself share the time equally."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for shares, (family, kind, protocol, _, address) in zip(range(len(addresses) + 1, 1, -1), addresses, strict=True):
        sock = _BoundedSocket(family, kind, protocol)
        try:
            _bound(sock, time.monotonic() + (deadline - time.monotonic()) / shares)
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            sock.deadline = deadline
            return sock
    raise failure


def _bound(sock: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    sock.settimeout(max(left, 0.001) if left < math.inf else None)  # 0 would mean not to wait at all


@cache
def _own_name() -> str:
    return socket.getfqdn()  # cached, because DNS may take seconds to answer
