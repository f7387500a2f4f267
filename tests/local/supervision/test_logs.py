"""The last words of a process, which an error message quotes."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.supervision.logs import last_line


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "web.log"


def test_it_is_the_last_line_that_names_an_error(log: Path) -> None:
    log.write_text("starting\nbad configuration: JWT_SECRET (missing)\nbye\n\n")
    assert last_line(log) == "bad configuration: JWT_SECRET (missing)"


def test_without_an_error_it_is_the_last_line(log: Path) -> None:
    assert last_line(log) == "(no log)"
    log.write_text("starting\nbye\n\n")
    assert last_line(log) == "bye"
