"""What `python -m bench --only …` measures."""

from __future__ import annotations

import pytest

from bench.__main__ import choose, main, parse
from bench.parts import PARTS, Run
from bench.report import Report, Row
from bench.request import Request
from bench.results import name_of
from bench.routes import Route, chosen


def test_all_parts_are_measured_without_a_choice() -> None:
    given = parse([])
    assert (given.rounds, given.seconds) == (3, 6)
    assert choose(given.only) == (list(PARTS), ())


def test_parts_are_measured_in_their_order() -> None:
    parts, words = choose(parse(["--only", "mails, start", "--rounds", "1"]).only)
    assert ([part.name for part in parts], words) == (["start", "mails"], ())


def test_a_piece_of_a_routes_name_chooses_the_part_of_routes() -> None:
    parts, words = choose(parse(["--only", "GET /orders,tracing"]).only)
    assert ([part.name for part in parts], words) == (["routes", "tracing"], ("GET /orders",))


@pytest.mark.parametrize("arguments", [["--only", "nothing"], ["--rounds", "0"], ["--seconds", "x"]])
def test_what_is_unknown_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(arguments)
    assert "error" in capsys.readouterr().err


def test_routes_are_chosen_by_a_piece_of_their_name() -> None:
    routes = [
        Route(name, "order", Request("o"), Request("p"), 1)
        for name in ("GET /orders/{id}", "POST /orders", "POST /login")
    ]
    assert [route.name for route in chosen(routes, ["/orders"])] == ["GET /orders/{id}", "POST /orders"]
    assert chosen(routes, []) == routes


def test_an_interrupted_run_leaves_the_whole_result_of_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Report] = []

    def measure(run: Run, _parts: object) -> None:
        run.report.add(Row("warm `make up`", 10, "s"))
        raise KeyboardInterrupt

    monkeypatch.setattr("bench.__main__.measure", measure)
    monkeypatch.setattr("bench.__main__.write", written.append)
    monkeypatch.setattr("sys.argv", ["bench"])
    with pytest.raises(KeyboardInterrupt):
        main()
    assert [name_of(report) for report in written] == [f"{written[0].at[:10]}-all-interrupted"]
    assert [row.what for row in written[0].rows] == ["warm `make up`"]
