"""`python -m SERVICE COMMAND`."""

import sys

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from libs.runtime.commands import run_command
from libs.runtime.config import BaseConfig


class Sample(BaseConfig):
    name: str


def greet(config, arguments):
    """say hello"""
    sys.stdout.write(" ".join([config.name, *arguments]) + "\n")
    return 3


def fall(config, arguments):
    """break"""
    raise {"away": ServerSelectionTimeoutError("no listener"), "bug": KeyError("x")}[arguments[0]]


def run(*argv):
    return run_command("sample", Sample, {"greet": greet, "fall": fall}, list(argv))


@pytest.fixture(autouse=True)
def name(monkeypatch):
    monkeypatch.setenv("NAME", "ann")


def test_a_command_gets_the_configuration_and_the_other_arguments(capsys):
    assert run("greet", "--loud", "x") == 3
    assert capsys.readouterr().out == "ann --loud x\n"


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit):
        run("--help")
    assert "say hello" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [[], ["sing"]])
def test_an_unknown_command_ends_with_status_2(argv):
    with pytest.raises(SystemExit) as ended:
        run(*argv)
    assert ended.value.code == 2


def test_the_configuration_comes_first(monkeypatch):
    monkeypatch.delenv("NAME")
    with pytest.raises(SystemExit) as ended:
        run("greet")
    assert ended.value.code == 78


def test_an_unavailable_server_is_one_line_and_a_bug_is_a_traceback(capsys):
    assert run("fall", "away") == 1
    assert capsys.readouterr().err == "sample fall: server unavailable (ServerSelectionTimeoutError: no listener)\n"
    with pytest.raises(KeyError):
        run("fall", "bug")
