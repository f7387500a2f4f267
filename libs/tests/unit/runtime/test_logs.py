"""Lines of logs: a text makes no line of its own."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
import structlog
from structlog.testing import capture_logs

from libs.runtime.logs import configure_logs, get_logger

ROOT = Path(__file__).parents[4]


@pytest.fixture
def restored():
    """The configuration of structlog and of the standard library's logs, as it was before."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**before)


TEXT = "a\nb\u2028c\x1b[31md\u202ee"


@pytest.mark.usefixtures("restored")
def test_a_readable_line_has_no_control_characters(capsys):
    configure_logs("test", form="console")
    get_logger("a test").info("file read", name=TEXT)
    (line,) = capsys.readouterr().out.splitlines()
    assert "a\ufffdb\ufffdc\ufffd[31md\ufffde" in line


@pytest.mark.usefixtures("restored")
def test_a_line_of_json_is_ascii(capsys):
    configure_logs("test", form="json")
    get_logger("a test").info("file read", name=TEXT)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.isascii()
    assert orjson.loads(line)["name"] == TEXT


@pytest.mark.usefixtures("restored")
def test_a_logger_that_was_used_before_follows_a_later_configuration():
    configure_logs("test")
    log = get_logger("a test")
    log.info("used")
    configure_logs("test")
    with capture_logs() as captured:
        log.info("file read")
    assert [entry["event"] for entry in captured] == ["file read"]


def test_values_that_are_no_json_have_a_line_too(capsys):
    configure_logs("test", form="json")
    get_logger("a test").info("odd", number=2**70, text="\ud800", thing={1}, kinds={1: b"x"})
    (line,) = capsys.readouterr().out.splitlines()
    read = json.loads(line)
    assert (read["number"], read["text"], read["thing"], read["kinds"]) == (2**70, "\ud800", "{1}", {"1": "b'x'"})


@pytest.mark.usefixtures("restored")
def test_a_line_of_structlog_has_the_fields_of_one_of_the_library(capsys):
    configure_logs("test", form="json")
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        get_logger("mine").warning("said", exc_info=ValueError("x"))
        logging.getLogger("theirs").warning("said", exc_info=ValueError("x"))
    mine, theirs = map(json.loads, capsys.readouterr().out.splitlines())
    assert mine.keys() == theirs.keys() >= {"service", "event", "request_id", "level", "logger", "time", "exception"}
    assert (mine["logger"], theirs["logger"]) == ("mine", "theirs")
    assert mine["level"] == theirs["level"] == "warning"
    assert "ValueError: x" in mine["exception"]


@pytest.mark.usefixtures("restored")
def test_a_level_that_is_off_writes_nothing(capsys):
    configure_logs("test", level="warning", form="json")
    get_logger("a test").info("not said")
    get_logger("a test").error("said")
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["event"] == "said"


WRITER = """
import threading
from libs.runtime.logs import configure_logs, get_logger
configure_logs("test")
def write(own):
    for number in range(200):
        get_logger("a test").info("said", own=own, number=number, text="x" * 3000)
threads = [threading.Thread(target=write, args=(own,)) for own in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_lines_of_several_threads_stay_whole():
    written = subprocess.run([sys.executable, "-c", WRITER], cwd=ROOT, capture_output=True, check=True).stdout
    seen = [(row["own"], row["number"]) for row in map(json.loads, written.splitlines())]
    assert sorted(seen) == [(own, number) for own in range(8) for number in range(200)]


def test_an_output_that_is_closed_ends_no_work():
    code = "from libs.runtime.logs import *; configure_logs('test'); get_logger('x').info('said'); open('/dev/null')"
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=write, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
