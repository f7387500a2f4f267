"""The lines of one route, from its rounds."""

from __future__ import annotations

from bench import goals
from bench.compare import Rounds
from bench.load import Load
from bench.process_groups import group_of, per_event
from bench.request import Request
from bench.routes import Route

CPU = {"web": 2.0, "workers": 0.0, "mongod": 0.5, "mysqld": 0.25, "kafka": 0.0, "mail catcher": 9.0}


def rounds_of(name: str, decided: list[float]) -> Rounds:
    route = Route(name, "order", Request("o"), Request("p"), 1)
    ours = [Load(rate, 600, 10.0, p99, 0) for rate, p99 in ((90.0, 80.0), (120.0, 40.0), (100.0, 55.0))]
    theirs = [Load(rate, 600, 1.0, 2.0, 0) for rate in (50.0, 100.0, 60.0)]
    return Rounds(route, ours, theirs, [CPU, {**CPU, "web": 4.0}, {**CPU, "web": 3.0}], [1.0, 3.0, 2.0], decided)


def test_the_medians_of_the_rounds_are_compared() -> None:
    ratio, tail = rounds_of("GET /orders/{id}", []).rows()
    assert (ratio.what, ratio.measured, ratio.note) == (goals.ratio_name("GET /orders/{id}"), 100 / 60, "100/s to 60/s")
    assert (tail.measured, tail.verdict) == (5.5, "MISSED")


def test_orders_that_are_decided_late_do_not_count() -> None:
    soon, _ = rounds_of("POST /orders, workers running", [2.0, 9.0]).rows()
    late, _ = rounds_of("POST /orders, workers running", [2.0, 11.0]).rows()
    assert (soon.verdict, soon.note) == ("met", "100/s to 60/s, all decided 9.0 s after the load at most")
    assert (late.verdict, late.fault) == ("MISSED", "decided 11 s after the load")


def test_the_line_of_a_route_has_shares_cpu_and_latencies() -> None:
    line = rounds_of("GET /orders/{id}", []).line(400.0)
    assert line == ["GET /orders/{id}", 100.0, 60.0, 100 / 60, 25.0, 3.0, 0.0, 0.5, 0.25, 0.0, 2.0, 10.0, 55.0]


def test_processes_are_grouped_and_their_time_is_shared_out() -> None:
    names = ("order-web", "order-worker", "notification", "mongo", "kafka")
    assert [group_of(name) for name in names] == ["web", "workers", "workers", "mongod", "kafka"]
    assert per_event({"web": 1.0}, {"web": 1.5}, 100) == {"web": 5.0}


def test_a_peer_that_answered_nothing_has_no_ratio() -> None:
    rounds = rounds_of("POST /login", [])
    rounds.theirs = [Load(0.0, 0, None, None, 0)]
    assert next(rounds.rows()).verdict == "not measured"
    assert rounds.line(None)[3] is None
