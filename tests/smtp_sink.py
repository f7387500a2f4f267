"""An SMTP server for the tests that keeps what it is sent, and misbehaves on demand.

ok          takes every mail
refuse      nothing listens on the port
421         refuses every client, in its greeting
450, 550    refuses each recipient, for now or for ever
530         requires a login first
554         refuses each message, after DATA
rcpt-421    puts each recipient off and closes the connection
rcpt-drop   closes the connection at RCPT
dot-421, dot-450   puts each message off, after DATA
black-hole  accepts the connection and never says a word
tarpit      says what it says at one byte a second
quit-drop   takes the mail, then hangs up at QUIT
ack-lost    takes the mail, then hangs up without saying so

`modes` has modes of single recipients, which overrule the mode. `seconds_a_mail` makes it slow: each mail is taken that much later.
`seconds_a_recipient` delays the reply to RCPT. With `most_sessions` open ones, one more is ended by its greeting.
"""

from __future__ import annotations

import asyncio
import email.policy
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from functools import cached_property
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.ports import LOOPBACK
from tests.free_ports import pick_free


@dataclass(frozen=True)
class Received:
    """A mail as it came in."""

    sender: str
    recipient: str
    content: bytes
    at: float = field(default_factory=time.time)  # epoch seconds

    @cached_property
    def message(self) -> EmailMessage:
        """Parsed at the first read, so that the sink is not slower than the sender."""
        return cast(EmailMessage, message_from_bytes(self.content, policy=email.policy.default))

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @cached_property
    def id(self) -> str:
        return str(BytesHeaderParser().parsebytes(self.content)["Message-ID"]).strip()

    def part(self, kind: str) -> str:
        """The text of the `plain` or the `html` part."""
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")


class SmtpSink:
    """The server, in a thread of its own; `mode` may be set at any time and counts for the next command."""

    def __init__(self, **smtp_options: Any) -> None:
        """`smtp_options` are aiosmtpd's: tls_context, require_starttls, authenticator, …; `ssl`: TLS from the first byte."""
        (self.port,) = pick_free(1)
        self.host = LOOPBACK
        self.mode = "ok"
        self.modes: dict[str, str] = {}
        self.tried: list[str] = []  # the recipient of each RCPT
        self.complete: list[str] = []  # the recipient of each message whose final dot has come, before the answer
        self.seconds_a_mail = self.seconds_a_recipient = 0.0
        self.most_sessions = 10_000
        self.pipelining = False  # say in the reply to EHLO that commands may come together
        self.mails: list[Received] = []
        self.connections = 0
        self._ssl = smtp_options.pop("ssl", None)
        self._options = smtp_options
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.BaseTransport] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp-sink", daemon=True)

    def start(self) -> None:
        """Listen; returns once it does."""
        self._thread.start()
        self._run(self._listen)

    def close(self) -> None:
        """End the server and its connections."""
        self._run(self._deafen)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def behave(self, mode: str) -> None:
        """Switch to `mode`; returns once the port behaves so."""
        self.mode = mode
        self._run(self._deafen if mode == "refuse" else self._listen)

    def to(self, recipient: str) -> list[Received]:
        """The mails to one address."""
        return [mail for mail in list(self.mails) if mail.recipient == recipient]

    def wait(self, recipient: str, count: int = 1, seconds: float = 15) -> list[Received]:
        """The mails to one address, as soon as there are `count`. Fails when that takes longer than `seconds`."""
        self.wait_until(lambda: len(self.to(recipient)) >= count, seconds)
        return self.to(recipient)

    def wait_until(self, condition: Callable[[], bool], seconds: float = 15) -> None:
        """Wait for `condition`."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s; {len(self.mails)} mails came"
            time.sleep(0.02)

    def _run(self, function: Callable[[], Any]) -> None:
        asyncio.run_coroutine_threadsafe(function(), self._loop).result(10)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await self._loop.create_server(self._session, self.host, self.port, ssl=self._ssl)

    async def _deafen(self) -> None:
        if self._server is not None:
            self._server.close()
            for transport in self._open:
                cast(asyncio.Transport, transport).abort()
            self._open.clear()
            self._server = None

    def _session(self) -> asyncio.BaseProtocol:
        self.connections += 1
        return _Protocol(self, _Handler(self), hostname="sink.example", loop=self._loop, **self._options)


class _Protocol(SMTP):
    """aiosmtpd's server, but for its greeting."""

    def __init__(self, sink: SmtpSink, handler: Any, **options: Any) -> None:
        self._sink = sink
        super().__init__(handler, **options)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connection = transport
        self._sink._open.add(transport)
        if self._sink.mode == "421" or len(self._sink._open) > self._sink.most_sessions:
            cast(asyncio.Transport, transport).write(b"421 too busy\r\n")
            transport.close()
        elif self._sink.mode != "black-hole":
            super().connection_made(transport)

    async def push(self, status: str | bytes) -> None:
        if self._sink.mode == "tarpit":
            for byte in status if isinstance(status, bytes) else status.encode():
                self._writer.write(bytes([byte]))
                await asyncio.sleep(1)
            status = b""
        await super().push(status)

    def eof_received(self) -> bool | None:
        return super().eof_received() if self.session is not None else None

    def connection_lost(self, error: Exception | None) -> None:
        self._sink._open.discard(self._connection)
        if self.transport is not None:
            super().connection_lost(error)


class _Handler:
    def __init__(self, sink: SmtpSink) -> None:
        self._sink = sink

    def _mode(self, recipient: str) -> str:
        return self._sink.modes.get(recipient, self._sink.mode)

    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*replies[:-1], "250-PIPELINING", replies[-1]] if self._sink.pipelining else replies

    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        mode = self._mode(address)
        self._sink.tried.append(address)
        await asyncio.sleep(self._sink.seconds_a_recipient)
        if mode in ("450", "530", "550"):
            return f"{mode} not this one"
        if mode == "rcpt-drop":
            server.transport.abort()
        if mode == "rcpt-421":
            await server.push("421 not this one")
            server.transport.close()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        mode = self._mode(envelope.rcpt_tos[0])
        self._sink.complete += envelope.rcpt_tos
        if mode in ("554", "dot-421", "dot-450"):
            return f"{mode.removeprefix('dot-')} not such a message"
        await asyncio.sleep(self._sink.seconds_a_mail)
        content = cast(bytes, envelope.original_content)
        self._sink.mails += [Received(str(envelope.mail_from), to, content) for to in envelope.rcpt_tos]
        if mode == "ack-lost":
            server.transport.abort()
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, _session: Session, _envelope: Envelope) -> str:
        if self._sink.mode == "quit-drop":
            server.transport.abort()
        return "221 Bye"


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A sink that listens on a port of its own."""
    sink = SmtpSink()
    sink.start()
    yield sink
    sink.close()
