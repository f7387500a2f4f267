"""Dead letters in a terminal: their headers are untrusted."""

import pytest
from confluent_kafka import Message

from libs.messaging.dead_letters import DeadLetter
from libs.messaging.dlq_command import _act

HOSTILE = "a\x1b[2J\r\n  x-attempts: 0\u2028\u202eb"
LETTER = DeadLetter(
    "thing-made.things.dlq/0/1",
    Message(
        topic="thing-made",
        key=HOSTILE.encode(),
        value=HOSTILE.encode(),
        headers=[("x-reason", HOSTILE.encode()), (f"x-{HOSTILE}", b"1")],
    ),
)


def fail(event):
    raise ValueError(HOSTILE)


@pytest.mark.parametrize(("action", "lines"), [("list", 1), ("show", 5), ("replay", 1)])
def test_a_header_begins_no_line_and_sends_no_command_to_the_terminal(capsys, action, lines):
    _act(action, LETTER, "things", fail)
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) == lines
    assert all(line.isprintable() for line in shown.splitlines())
