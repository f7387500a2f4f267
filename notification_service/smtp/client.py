"""smtplib over sockets with one deadline for all their waits, and a message whose final dot is sent apart.

A socket's own timeout starts again with each byte. A server that sends one byte a second would hold a mail for hours. Here each
wait ends at the deadline of the whole mail. The answer to the final dot has a wait of its own, which may be continued: smtplib's
file object cannot be read again after a timeout, so that answer is read from the socket.
"""

import math
import re
import smtplib
import socket
import ssl
import time
from functools import cache
from typing import Any

END_OF_REPLY = re.compile(
    rb"^(\d{3})(?: [^\n]*)?\r?\n", re.MULTILINE
)  # RFC 5321 4.2.1: "250-" is continued, "250 " is not
CLOSING = 421  # RFC 5321 4.2.2: the server closes the connection, whichever command it replies to
READY = 354  # the reply to DATA: send the message
NO_CODE = -1  # smtplib's word for a reply without a code
MAX_REPLY_BYTES = 64 * 1024


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
    """A connection to an SMTP server. All its waits end at `deadline`, in seconds of time.monotonic()."""

    sock: _BoundedSocket | _BoundedTlsSocket | None

    def __init__(self, server: str, port: int, deadline: float, tls: ssl.SSLContext | None = None) -> None:
        """Connect and read the greeting. `tls`: use TLS from the first byte. Raises OSError. smtplib's errors are OSErrors."""
        self.deadline, self._tls, self._answer = deadline, tls, b""
        self._ahead, self._commands = 1, list[bytes]()
        super().__init__(server, port, local_hostname=_own_name())

    def limit(self, deadline: float) -> None:
        """Set the deadline of all waits. Call it again after STARTTLS, which makes another socket."""
        self.deadline = deadline
        if self.sock is not None:
            self.sock.deadline = deadline

    def begin_message(self, sender: str, recipient: str, options: list[str]) -> None:
        """Send MAIL. The next commands go with it when the server takes them so (PIPELINING, RFC 2920). Raises OSError.

        `name_recipient` and `request_data` have to follow. The addresses are valid: domain.recipient checks them.
        """
        encoding = "utf-8" if "SMTPUTF8" in options else "ascii"
        commands = (" ".join([f"MAIL FROM:<{sender}>", *options]), f"RCPT TO:<{recipient}>", "DATA")
        self._ahead = 3 if self.has_extn("pipelining") else 1
        self._commands = [f"{command}\r\n".encode(encoding) for command in commands]
        self.send(b"".join(self._commands[: self._ahead]))
        code, reply = self.getreply()
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, reply, sender)

    def name_recipient(self, recipient: str) -> None:
        """Await the reply to RCPT. Raises OSError."""
        code, reply = self._reply_to(1)
        if code not in (250, 251):
            if code in (CLOSING, NO_CODE) or (self._ahead > 1 and not self._refuses_data()):
                self.close()
            raise smtplib.SMTPRecipientsRefused({recipient: (code, reply)})

    def request_data(self) -> None:
        """Await the reply to DATA. Raises OSError."""
        code, reply = self._reply_to(2)
        if code != READY:
            if code in (CLOSING, NO_CODE):
                self.close()
            raise smtplib.SMTPDataError(code, reply)

    def send_block(self, content: bytes) -> None:
        """Send `content`, which ends with CRLF, without the final dot. Raises OSError."""
        self.send(content.replace(b"\r\n.", b"\r\n.."))

    def _refuses_data(self) -> bool:
        """True when the server refused DATA, as it should without a recipient."""
        try:
            return self.getreply()[0] != READY
        except OSError:
            return False

    def _reply_to(self, command: int) -> tuple[int, bytes]:
        if command >= self._ahead:
            self.send(self._commands[command])
        return self.getreply()

    def send_dot(self) -> None:
        """End the message. From here on the server may have it. Raises OSError."""
        self._answer = b""
        self.send(b".\r\n")

    def await_answer(self, deadline: float) -> int:
        """The code of the answer to the final dot. Raises TimeoutError at `deadline`, and may then be called again.

        Raises another OSError when the connection ends before the answer.
        """
        while not (found := END_OF_REPLY.search(self._answer)):
            if self.sock is None or len(self._answer) > MAX_REPLY_BYTES:
                raise smtplib.SMTPServerDisconnected
            if time.monotonic() >= deadline:
                raise TimeoutError
            _bound(self.sock, deadline)
            received = self.sock.recv(4096)
            if not received:
                raise smtplib.SMTPServerDisconnected
            self._answer += received
        return int(found[1])

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
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the dot does not wait for the block's TCP ACK
            sock.deadline = deadline
            return sock
    raise failure


def _bound(sock: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    sock.settimeout(max(left, 0.001) if left < math.inf else None)  # 0 would mean not to wait at all


@cache
def _own_name() -> str:
    return socket.getfqdn()  # cached, because DNS may take seconds to answer
