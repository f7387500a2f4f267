"""Lines of logs: a text makes no line of its own."""

import orjson
import pytest
import structlog
from structlog.testing import capture_logs

from libs.runtime.logs import configure_logs, get_logger


@pytest.fixture
def restored():
    """The configuration of structlog and of the standard library's logs, as it was before."""
    import logging

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
