"""The story of an order, from lines of logs and events in Kafka."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ulid import ULID

from deploy.local.errors import LocalError
from deploy.local.state import State
from deploy.log_lines import LogLine
from deploy.observe.follow import placed_at
from deploy.observe.logs import past_lines, read_filter
from deploy.observe.order_events import OrderEvent
from deploy.observe.story import steps_of, write_story

ORDER = "01K8ZC4M7RXW2Q5T9V3B6H1N0D"
BEGIN = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def at(ms: int) -> datetime:
    return BEGIN + timedelta(milliseconds=ms)


def line(moment: int, process: str, event: str, **fields: Any) -> LogLine:
    return LogLine.of(process, json.dumps({"time": at(moment).isoformat(), "level": "info", "event": event, **fields}))


LINES = [
    line(0, "order-web", "request", method="POST", route="/orders", status=201, ms=12.3),
    line(40, "order-worker", "event published", topic="order-placed", partition=1, offset=17, lag_ms=40),
    line(60, "product-worker", "event handled", topic="order-placed", ms=8.1, attempts=1, lag_ms=60),
    line(90, "product-worker", "event published", topic="stock-reserved", partition=1, offset=3, lag_ms=30),
    line(120, "order-worker", "event published", topic="order-confirmed", partition=1, offset=4, lag_ms=20),
    line(
        150,
        "notification",
        "event not handled yet",
        topic="order-placed",
        reason="no answer",
        attempts=1,
        wait_seconds=0.5,
    ),
    line(700, "notification", "mail sent", kind="order-placed"),
    line(
        900, "notification", "dead letter written", topic="order-confirmed", event_id="e9", reason="refused", attempts=6
    ),
]


def told(lines: list[LogLine], events: list[OrderEvent]) -> list[str]:
    return list(write_story(steps_of(lines, events)))


def test_each_step_is_a_line_with_the_seconds_since_the_first() -> None:
    story = told(LINES, [])
    assert story[0].split() == ["0.000", "s", "order-web", "POST", "/orders", "→", "201", "in", "12.3", "ms"]
    assert "order-placed/1 at 17: the customer has ordered (40 ms after it was stored)" in story[1]
    assert "order-placed handled in 8.1 ms (attempt 1, 60 ms after it was stored)" in story[2]
    assert "the goods are reserved" in story[3]
    assert "not handled yet: no answer, attempt 1, the next one in 0.5 s" in story[5]
    assert "mail order-placed sent" in story[6]
    assert "order-confirmed is a dead letter: refused (attempt 6)" in story[7]
    assert story[-2:] == ["decided after 0.120 s", "1 mail, the last after 0.700 s"]


def test_what_no_log_has_comes_from_kafka() -> None:
    events = [
        OrderEvent(at(41), "order-placed", "order_service", 1, 17, "e1"),
        OrderEvent(at(800), "mail-sent", "notification_service", 2, 5, "e2"),
        OrderEvent(at(905), "order-confirmed.notification-service.dlq", "order_service", 0, 0, "e9"),
        OrderEvent(at(950), "order-placed.product-service.dlq", "order_service", 0, 1, "e8"),
    ]
    story = told(LINES, events)
    assert len(story) == len(LINES) + 2 + 3
    assert "mail-sent/2 at 5: a mail is recorded" in story[7]
    assert "order-placed.product-service.dlq/0 at 1: dead letter" in story[9]


def test_an_order_that_waits_says_so() -> None:
    assert told(LINES[:2], [])[-2:] == ["not decided yet", "0 mails"]


def test_the_id_of_an_order_has_its_time() -> None:
    assert placed_at(ORDER) == ULID.from_str(ORDER).datetime
    assert placed_at("7" + "Z" * 25).year == 3000


def test_past_lines_are_in_the_order_of_their_times_through_rotations(tmp_path: Any) -> None:
    state = State(tmp_path)
    state.make()

    def write(name: str, *milliseconds: int) -> None:
        rows = [json.dumps({"time": at(ms).isoformat(), "level": "info", "event": str(ms)}) for ms in milliseconds]
        (state.log / name).write_text("\n".join(rows) + "\n  text that belongs to it\n")

    write("order-web.log.1", 10, 30)
    write("order-web.log", 50)
    write("order-worker.log", 20, 40)
    lines = [one.event.strip() for one in past_lines(state, ["order-web", "order-worker", "user-web"])]
    text = "text that belongs to it"
    assert lines == ["10", "20", "30", text, "40", text, "50", text]


@pytest.mark.parametrize("argument", ["ORDER", "", "order-42"])
def test_an_argument_without_a_value_is_an_error(argument: str) -> None:
    with pytest.raises(LocalError):
        read_filter([argument])
