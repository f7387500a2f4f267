"""Which lines `make logs` shows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deploy.local.errors import LocalError
from deploy.log_lines import LogLine
from deploy.observe.log_filter import LogFilter
from deploy.observe.logs import read_filter

ORDER, OTHER = "01K8ZC4M7RXW2Q5T9V3B6H1N0D", "01K8ZC4M7RXW2Q5T9V3B6H1N0E"
TRACE, SECOND = "4bf92f3577b34da6a3ce929d0e0e4736", "5bf92f3577b34da6a3ce929d0e0e4736"


def line(event: str, **fields: Any) -> LogLine:
    return LogLine.of("order-web", json.dumps({"event": event, "level": "info", **fields}))


LINES = [
    line("other request", trace_id=SECOND, request_id="r2"),
    line("request", trace_id=TRACE, request_id="r1"),
    line("other published", trace_id=SECOND, topic="order-placed", aggregate_id=OTHER),
    line("published", trace_id=TRACE, topic="order-placed", aggregate_id=ORDER),
    line("put off", trace_id=TRACE, topic="order-placed", aggregate_id=ORDER, level="warning"),
    line("recorded", trace_id=TRACE, topic="mail-sent", aggregate_id=OTHER),
    line("resent", order=ORDER),
    LogLine.of("kafka", "text"),
]


def chosen(**given: str) -> list[str]:
    wanted = LogFilter.of(given)
    return [found.event for one in LINES for found in wanted.choose(one)]


def test_without_a_filter_all_lines_are_shown() -> None:
    assert chosen() == [one.event for one in LINES]


def test_of_an_order_all_lines_of_its_trace_are_shown_also_earlier_ones() -> None:
    assert chosen(ORDER=ORDER) == ["request", "published", "put off", "recorded", "resent"]


def test_a_bulk_action_shows_the_steps_of_the_one_order_that_is_asked_for() -> None:
    wanted = LogFilter.of({"ORDER": ORDER})
    both = [line("a", trace_id=TRACE, topic="order-shipped", aggregate_id=key) for key in (ORDER, OTHER)]
    assert [one.text("aggregate_id") for each in both for one in wanted.choose(each)] == [ORDER]


def test_of_a_trace_its_lines_are_shown() -> None:
    assert chosen(TRACE=SECOND) == ["other request", "other published"]


def test_of_a_request_all_that_follows_is_shown() -> None:
    assert chosen(REQUEST="r1") == ["request", "published", "put off", "recorded"]


def test_a_level_shows_the_lines_of_at_least_that_weight() -> None:
    assert chosen(LEVEL="WARNING") == ["put off"]
    assert chosen(ORDER=ORDER, LEVEL="warning") == ["put off"]


def test_the_services_are_read_and_the_servers_on_demand() -> None:
    assert "kafka" not in LogFilter.of({}).processes
    assert "order-worker" in LogFilter.of({}).processes
    assert "kafka" in LogFilter.of({"SERVERS": "1"}).processes


@pytest.mark.parametrize(
    ("service", "processes"),
    [
        ("order", ("order-web", "order-worker")),
        ("order_service", ("order-web", "order-worker")),
        ("order-web", ("order-web",)),
        ("notification", ("notification",)),
    ],
)
def test_a_service_is_all_its_processes(service: str, processes: tuple[str, ...]) -> None:
    assert LogFilter.of({"SERVICE": service}).processes == processes


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ORDER", "42"),
        ("ORDER", ORDER.lower()),
        ("TRACE", "xyz"),
        ("REQUEST", "a b"),
        ("SERVICE", "kafka"),
        ("LEVEL", "loud"),
        ("SERVERS", "yes"),
        ("COLOUR", "red"),
    ],
)
def test_another_value_is_an_error_that_says_what_is_expected(name: str, value: str) -> None:
    with pytest.raises(LocalError, match=name):
        read_filter([f"{name}={value}"])
