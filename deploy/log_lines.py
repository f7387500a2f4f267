"""A line of a log: JSON of a service, or text of a server. A terminal shows it in one line of colour."""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from libs.values.text import clean

LEVELS = ("debug", "info", "warning", "error", "critical")
LEVEL_COLOURS = {"debug": 90, "warning": 33, "error": 31, "critical": 31}
NAME_WIDTH = 14
SHOWN_ELSEWHERE = {"time", "level", "event", "service", "logger", "exception"}
FIRST = ("method", "route", "status", "topic", "kind", "reason", "ms", "attempts", "lag_ms")
LAST = ("partition", "offset", "aggregate_id", "event_id", "message_id", "request_id", "trace_id")
"""What matters most is at the beginning of a line, and the ids are at its end."""
LONG = 300  # characters of a value


class LogLine(NamedTuple):
    """One line. `fields`: of JSON, without the event's name. Text of a server has none. `at` is in ISO 8601, or empty."""

    process: str
    at: str
    level: str
    event: str
    fields: dict[str, Any]

    @classmethod
    def of(cls, process: str, raw: str) -> Self:
        """The line in `raw`. Text that is no JSON object with an event is an event without fields."""
        try:
            fields = json.loads(raw)
        except ValueError:
            fields = None
        if not isinstance(fields, dict) or not isinstance(fields.get("event"), str):
            return cls(process, "", "", raw, {})
        level = str(fields.get("level", "")).lower()
        return cls(process, str(fields.get("time", "")), level, fields.pop("event"), fields)

    def text(self, name: str) -> str:
        """A field as text; empty when there is none."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    @property
    def message(self) -> str:
        """The event and its fields, in one line without colours."""
        shown = sorted((key for key in self.fields if key not in SHOWN_ELSEWHERE), key=_rank)
        words = [f"{key}={_short(self.fields[key])}" for key in shown]
        if trace := self.text("exception"):
            words.append(f"exception={_short(trace.strip().splitlines()[-1])}")
        return " ".join([clean(self.event).strip(), *words])

    def render(self, colour: int | None) -> str:
        """The line for a terminal, with the process's colour, or without colours."""
        name = _colour(f"{self.process:<{NAME_WIDTH}}", colour)
        if not self.level:
            return f"{name} | {clean(self.event)}"
        level = _colour(f"{self.level.upper():<8}", colour and LEVEL_COLOURS.get(self.level))
        return f"{name} | {clock(self.at)} {level} {self.message}"


def clock(at: str) -> str:
    """The local time of day with milliseconds. The text itself when it is no time."""
    try:
        return datetime.fromisoformat(at).replace(tzinfo=UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]
    except ValueError:
        return clean(at)


def _rank(key: str) -> int:
    """The place of a field in its line. Fields of the same rank keep their sequence."""
    return FIRST.index(key) - len(FIRST) if key in FIRST else LAST.index(key) + 1 if key in LAST else 0


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    text = clean(text)
    return text if len(text) <= LONG else text[:LONG] + "…"


def _colour(text: str, colour: int | None) -> str:
    return f"\033[{colour}m{text}\033[0m" if colour else text
