"""Log lines in production: one JSON object in ASCII per line, written with one system call and without a lock.

A line of up to 4,096 bytes is whole in a pipe, and each line is whole in a file (write(2), PIPE_BUF). So threads and processes that
share the output need no lock.
"""

import json
import os
import sys
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import Any

import orjson


def render_line(event: MutableMapping[str, Any]) -> bytes:
    """The fields as a line, in their sequence. A value that is not JSON becomes its repr."""
    with suppress(orjson.JSONEncodeError):  # an integer of more than 64 bits, or text that is not Unicode
        line = orjson.dumps(event, default=repr, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
        if line.isascii():
            return line
    return json.dumps(event, default=repr).encode() + b"\n"


def line_writer() -> Callable[[bytes], None]:
    """A function that writes a line to the standard output of now. Like `logging`, it loses a line that can't be written."""
    stream = sys.stdout
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # a stream in memory, of a test

        def write_text(line: bytes) -> None:
            with suppress(OSError, ValueError):
                stream.write(line.decode())
                stream.flush()

        return write_text

    def write(line: bytes) -> None:
        with suppress(OSError):
            while line:  # a signal may end the writing of a long line early
                line = line[os.write(descriptor, line) :]

    return write


class LineLogger:
    """What structlog calls with a rendered line. Each level is the same."""

    def __init__(self, name: str, write: Callable[[bytes], None]) -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = self.critical = self.exception = self.msg = write
