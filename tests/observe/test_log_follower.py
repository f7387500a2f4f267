"""The logs as one stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.state import State
from deploy.local.supervision.logs import rotate
from deploy.observe.log_follower import LogFollower


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path)
    state.make()
    return state


@pytest.fixture
def follower(state: State) -> Iterator[LogFollower]:
    """Follows from the end of a log that holds one line."""
    write(state, "kafka", "old\n")
    with LogFollower(state, tail=False) as follower:
        yield follower


def write(state: State, name: str, text: str) -> None:
    with (state.log / f"{name}.log").open("a") as log:
        log.write(text)


def test_only_what_comes_after_the_start_is_read(state: State, follower: LogFollower) -> None:
    write(state, "mysql", "new\n")
    assert follower.read() == [("mysql", "new")]
    assert follower.read() == []


def test_with_a_tail_the_last_lines_are_read_too(state: State) -> None:
    write(state, "mysql", "".join(f"line {number}\n" for number in range(2000)))
    with LogFollower(state, tail=True) as follower:
        lines = follower.read()
    assert lines[-1] == ("mysql", "line 1999")
    assert 10 < len(lines) < 2000
    assert all(line.startswith("line ") for _, line in lines)


def test_half_a_line_waits_for_its_end(state: State, follower: LogFollower) -> None:
    write(state, "kafka", "one\ntw")
    assert follower.read() == [("kafka", "one")]
    write(state, "kafka", "o\n")
    assert follower.read() == [("kafka", "two")]


def test_a_rotated_file_is_followed(state: State, follower: LogFollower) -> None:
    write(state, "kafka", "one\n")
    assert follower.read() == [("kafka", "one")]
    write(state, "kafka", "two\n")
    (state.log / "kafka.log").rename(state.log / "kafka.log.1")
    write(state, "kafka", "three\n")
    assert follower.read() == [("kafka", "two"), ("kafka", "three")]


def test_a_large_log_is_rotated_and_still_followed(
    state: State, follower: LogFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.local.supervision.logs.MAX_BYTES", 100)
    with (state.log / "kafka.log").open("a") as process:  # a process keeps its file open, and appends
        rotate(state.log)
        assert not (state.log / "kafka.log.1").exists()
        process.write("x" * 100 + "\n")
        process.flush()
        assert follower.read() == [("kafka", "x" * 100)]
        rotate(state.log)
        process.write("after\n")
    assert (state.log / "kafka.log.1").read_text().endswith("x\n")
    assert (state.log / "kafka.log").read_text() == "after\n"
    assert follower.read() == [("kafka", "after")]
