"""`python -m bench`: start a shop, measure it, write the result, stop it."""

from __future__ import annotations

import argparse
import sys
import time

from bench import goals, plots, results
from bench.parts import PARTS, Part, Run
from bench.report import Report
from bench.stage import Stage
from deploy.local.console import say
from deploy.local.errors import LocalError

MINUTES = round(sum(part.minutes for part in PARTS))
DESCRIPTION = (
    f"Measure a shop of its own, with nothing else running, in about {MINUTES} minutes. "
    "The result goes to bench/results/: a table, the same as JSON, and plots. bench/README.md explains the figures."
)


def main() -> int:
    """Run everything; 1 with one line on stderr when something could not be measured. What was measured before is written."""
    given = parse(sys.argv[1:])
    parts, words = choose(given.only)
    report = Report(rounds=given.rounds, seconds=given.seconds, parts=", ".join(given.only) or "all")
    stage = Stage()
    try:
        measure(Run(stage, report, words), parts)
    except KeyboardInterrupt:
        report.parts = f"{report.parts}, interrupted"  # files of its own: a whole result of the day stays
        raise
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        stage.down()
        if report.parts == "all":
            report.rows += goals.missing(report.rows)
        if report.rows:
            say(f"\nwritten to {write(report)}")
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    """The arguments of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=DESCRIPTION)
    names = "; ".join(f"{part.name}: {part.what}" for part in PARTS)
    shown = f"parts, or routes by a piece of their name such as 'GET /orders', separated by commas ({names})"
    parser.add_argument("--only", type=split, default=[], metavar="WHAT", help=shown)
    parser.add_argument(
        "--rounds", type=positive, default=3, help="rounds of each route, whose median counts (default 3)"
    )
    parser.add_argument("--seconds", type=positive, default=6, help="seconds of each load (default 6)")
    given = parser.parse_args(arguments)
    try:
        choose(given.only)
    except ValueError as error:
        parser.error(str(error))
    return given


def split(text: str) -> list[str]:
    """Words between commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def positive(text: str) -> int:
    """A whole number from 1 on. Raises ValueError."""
    if (number := int(text)) < 1:
        raise ValueError("at least 1")
    return number


def choose(only: list[str]) -> tuple[list[Part], tuple[str, ...]]:
    """The parts that these words name, and the words that name routes. Raises ValueError for what names nothing."""
    names = {part.name for part in PARTS}
    words = tuple(word for word in only if word not in names)
    if unknown := [word for word in words if not any(word in route for route in goals.RATIOS)]:
        raise ValueError(f"no part and no route is called {', '.join(unknown)}")
    wanted = {word for word in only if word in names} | ({"routes"} if words else set())
    return [part for part in PARTS if not only or part.name in wanted], words


def measure(run: Run, parts: list[Part]) -> None:
    """Measure the parts one after the other. Raises LocalError."""
    began = time.monotonic()
    for number, part in enumerate(parts, start=1):
        minutes = (time.monotonic() - began) / 60
        say(f"[{number}/{len(parts)}] {part.name}: {part.what} ({minutes:.0f} min so far)")
        part.measure(run)


def write(report: Report) -> str:
    """Write the JSON, the plots and the table. Returns where the table is."""
    results.RESULTS.mkdir(exist_ok=True)
    before = results.last_before(report)
    name = results.name_of(report)
    data = results.RESULTS / f"{name}.json"
    data.write_bytes(results.dump(report))
    pictures = plots.draw(data)
    more = [results.compare(report, before)] if before else []
    text = report.text(*more, pictures=pictures)
    table = data.with_suffix(".md")
    table.write_text(text)
    say(text)
    return str(table)


if __name__ == "__main__":
    sys.exit(main())
