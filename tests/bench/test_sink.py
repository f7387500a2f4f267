"""The quickest SMTP server: what it answers, however the bytes arrive."""

from __future__ import annotations

import asyncio

from bench.sink import Sink, _Session

DIALOGUE = (
    b"EHLO shop\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
    b"Subject: x\r\n\r\nOrder 01KAXA2N4R5S6T7V8W9X0Y1Z2A\r\n.\r\nQUIT\r\n"
)


class Wire(asyncio.WriteTransport):
    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data


def talk(*pieces: bytes) -> tuple[Sink, list[bytes]]:
    sink, wire = Sink(0), Wire()
    sink.notes_orders = True
    session = _Session(sink)
    session.connection_made(wire)
    for piece in pieces:
        session.data_received(piece)
    return sink, [line[:3] for line in wire.written.split(b"\r\n") if line]


def test_a_mail_is_taken_and_noted_by_its_order() -> None:
    sink, codes = talk(DIALOGUE)
    assert codes == [b"220", b"250", b"250", b"250", b"250", b"354", b"250", b"221"]
    assert len(sink.times) == 1
    assert list(sink.by_order) == ["01KAXA2N4R5S6T7V8W9X0Y1Z2A"]


def test_single_bytes_mean_the_same() -> None:
    sink, codes = talk(*(DIALOGUE[n : n + 1] for n in range(len(DIALOGUE))))
    assert codes == talk(DIALOGUE)[1]
    assert len(sink.times) == 1
