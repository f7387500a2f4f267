"""`make logs`: the services' logs as one stream. ORDER, TRACE, REQUEST, SERVICE, LEVEL and SERVERS=1 choose lines."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from deploy.arguments import read_variables
from deploy.local.services import PROCESS_NAMES
from deploy.local.state import State
from deploy.log_lines import LogLine
from deploy.observe.log_filter import FORMS, LogFilter
from deploy.observe.log_follower import LogFollower

COLOURS = (90, 37, 97, 94, 36, 32, 35, 34, 96, 92, 95)  # without red and yellow, the colours of levels
POLL_SECONDS = 0.2


def read_filter(arguments: Sequence[str]) -> LogFilter:
    """The filter in arguments such as ORDER=01K…. Raises LocalError for one of another form."""
    return LogFilter.of(read_variables(arguments, FORMS))


def show_logs(state: State, wanted: LogFilter, *, tail: bool = True) -> None:
    """Print lines until interrupted. `tail`: begin with some lines that are there."""
    for line in past_lines(state, wanted.processes) if wanted.looks_back else ():
        _print(wanted, line)
    with (
        suppress(KeyboardInterrupt),
        LogFollower(state, wanted.processes, tail=tail and not wanted.looks_back) as follower,
    ):
        while True:
            for name, raw in follower.read():
                _print(wanted, LogLine.of(name, raw))
            sys.stdout.flush()
            time.sleep(POLL_SECONDS)


def past_lines(state: State, processes: Sequence[str]) -> Iterator[LogLine]:
    """All lines that these processes have written, in the order of their times, rotated ones too."""
    lines = list[LogLine]()
    for name in processes:
        at = ""
        for path in (state.log / f"{name}.log.1", state.log / f"{name}.log"):
            with suppress(FileNotFoundError):
                for raw in path.read_text(errors="replace").splitlines():
                    line = LogLine.of(name, raw)
                    at = line.at or at  # text without a time belongs to the line before
                    lines.append(line._replace(at=at))
    return iter(sorted(lines, key=lambda line: line.at))


def _print(wanted: LogFilter, line: LogLine) -> None:
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for chosen in wanted.choose(line):
        colour = COLOURS[PROCESS_NAMES.index(chosen.process) % len(COLOURS)] if colours else None
        print(chosen.render(colour))
