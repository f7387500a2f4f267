"""A line of JSON is one readable line, and text stays what it is."""

from __future__ import annotations

import json
import re

import pytest

from deploy.local.services import PROCESS_NAMES, SERVICES
from deploy.log_lines import LEVEL_COLOURS, LogLine
from deploy.observe.logs import COLOURS

AT = "2026-01-31T12:00:00.123456Z"


def line(process: str = "order-web", **fields: object) -> LogLine:
    return LogLine.of(process, json.dumps({"time": AT, "level": "info", "service": "order_service", **fields}))


def test_a_line_of_json_shows_its_time_level_event_and_fields() -> None:
    shown = line(event="request", route="/orders", status=201).render(None)
    assert re.fullmatch(r"order-web +\| \d\d:\d\d:00\.123 INFO +request route=/orders status=201", shown)


def test_with_colours_it_is_still_one_line() -> None:
    shown = line(event="request", level="error").render(36)
    assert shown.startswith("\033[36m")
    assert "\033[31mERROR" in shown
    assert len(shown.splitlines()) == 1


@pytest.mark.parametrize("raw", ["Started", "{not json", "[1]", '{"no": "event"}', '{"event": 7}', "", "null"])
def test_text_of_a_server_is_shown_as_it_is(raw: str) -> None:
    assert LogLine.of("kafka", raw).render(None) == f"kafka          | {raw}"


def test_a_text_makes_no_line_of_its_own_and_sends_no_command_to_the_terminal() -> None:
    for shown in (
        line(event="a\nb", reason="\x1b[31mc\u2028d").render(None),
        LogLine.of("kafka", "a\x1b[2J").render(None),
    ):
        assert len(shown.splitlines()) == 1
        assert "\x1b" not in shown


def test_of_an_exception_the_last_line_is_shown() -> None:
    shown = line(event="thread died", exception="Traceback:\n  File x\nKeyError: 'a'\n").render(None)
    assert shown.endswith("thread died exception=KeyError: 'a'")


def test_a_long_value_is_cut() -> None:
    assert len(line(event="x", reason="y" * 5000).render(None)) < 500


def test_a_line_without_a_readable_time_is_shown() -> None:
    assert "yesterday" in line(event="x", time="yesterday").render(None)


def test_what_happened_is_first_in_a_line_and_ids_are_last():
    fields = {"trace_id": "t1", "x": 1, "event_id": "e1", "topic": "order-placed", "lag_ms": 3, "ms": 2, "y": 2}
    line = LogLine("order-worker", "", "info", "event handled", fields)
    assert line.message == "event handled topic=order-placed ms=2 lag_ms=3 x=1 y=2 event_id=e1 trace_id=t1"


def test_no_process_has_the_colour_of_a_level():
    assert len(set(COLOURS)) == len(COLOURS) == len(PROCESS_NAMES)
    services = {COLOURS[PROCESS_NAMES.index(service.name)] for service in SERVICES}
    assert not services & set(LEVEL_COLOURS.values())
