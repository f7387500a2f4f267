"""What the documents tell people to type exists: verbs, options, services, files, addresses."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from urllib.parse import urlsplit

import pytest

from deploy.service_list import ROOT, SERVICES, ports
from tests.architecture.compose import OVERRIDES, commands, read, read_override
from tests.documented_commands import EXEMPT, Command, find_commands

COMMANDS = find_commands()
VERBS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
COMPOSE = {
    "up": {"-d", "--build", "--force-recreate"},
    "down": {"--volumes"},
    "run": {"--rm", "--no-deps", "-p"},
    "exec": {"-T"},
    "ps": {"-a"},
    "logs": {"-f"},
    "pull": {"--ignore-buildable"},
    "build": {"--build-arg"},
    "stop": set(),
    "start": set(),
    "restart": set(),
}
"""The verbs of Docker Compose that the documents use, with their options."""
WITH_SERVICE = ("run", "exec", "logs", "stop", "start", "restart")


@cache
def containers():
    """Every container of Compose, with all variants."""
    files = [*map(read_override, OVERRIDES), read("docker-compose.yaml")]  # the last one has the images
    return {name: service for file in files for name, service in (file.get("services") or {}).items()}


@cache
def package_of(container):
    """The service whose commands a container runs; None for a server."""
    build = containers()[container].get("build") or {}
    return (build.get("args") or {}).get("SERVICE")


@cache
def help_of(package, command):
    """What `COMMAND --help` prints."""
    argv = [sys.executable, "-m", package, *command, "--help"]
    return subprocess.run(argv, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False).stdout


def check_service_command(package, words):
    """Assert that a service has this command, with these options."""
    assert words[0] in commands(package), f"{package} has no command {words[0]}"
    options = [word for word in words if word.startswith("--")]
    depth = 2 if words[0] == "manage" else 1
    for option in options:
        assert option in help_of(package, tuple(words[:depth])), f"{words[0]} has no option {option}"


def check_make(words):
    verbs = [word for word in words if "=" not in word]
    assert set(verbs) <= VERBS, f"make has no {verbs}"
    given = dict(word.split("=", 1) for word in words if "=" in word)
    if verbs == ["manage"]:
        assert set(given) == {"SERVICE", "ARGS"}
        assert given["SERVICE"] in SERVICES
        check_service_command(given["SERVICE"], shlex.split(given["ARGS"]))


def check_python(words):
    assert words[0] == "-m"
    if words[1].startswith("bench."):
        assert words[2:] == []
        assert (ROOT / words[1].replace(".", "/")).with_suffix(".py").is_file(), words
        return
    packages = SERVICES if words[1] == "SERVICE" else [words[1]]
    assert any(words[2] in commands(package) for package in packages), words


def check_curl(words):
    assert len(words) == 1, "write it without options"
    port = urlsplit(f"http://{words[0]}").port
    assert port in {default for _, default in ports().values()}, f"no service has the port {port}"
    assert words[0].startswith("127.0.0.1:")  # `:3000/health` is not understood by every curl


def check_docker(words):
    assert words[0] == "compose"
    rest, files, profiles = words[1:], [], []
    while rest and (rest[0] in ("-f", "--env-file", "--profile", "…")):
        if rest[0] != "…":
            (profiles if rest[0] == "--profile" else files).append(rest[1])
        rest = rest[1:] if rest[0] == "…" else rest[2:]
    assert all(file == ".env" or (ROOT / file).exists() for file in files), files
    known = {profile for container in containers().values() for profile in container.get("profiles") or ()}
    assert set(profiles) <= known, profiles
    verb, *rest = rest
    assert verb in COMPOSE, f"unknown verb {verb}"
    while rest and rest[0].startswith("-"):
        assert rest[0] in COMPOSE[verb], f"{verb} has no option {rest[0]}"
        rest = rest[2:] if rest[0] in ("-p", "--build-arg") else rest[1:]
    if verb in WITH_SERVICE:
        assert rest[0] in containers(), f"there is no container {rest[0]}"
        if verb == "run" and len(rest) > 1 and package_of(rest[0]):
            check_service_command(package_of(rest[0]), rest[1:])


CHECKS = {"make": check_make, "python": check_python, "curl": check_curl, "docker": check_docker}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.document}: {command.text}"[:80])
def test_what_a_document_shows_exists(command: Command) -> None:
    for part in re.split(r" && |\s+>\S+$", command.text):
        words = shlex.split(part)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        if words and words[0] in CHECKS:
            CHECKS[words[0]](words[1:])
        else:
            assert command.is_exempt, f"{command.text!r} is no make, python, curl or docker"


@pytest.mark.parametrize("beginning", EXEMPT)
def test_no_exception_is_left_over(beginning: str) -> None:
    assert any(re.match(beginning, command.text) for command in COMMANDS), beginning


def test_commands_of_services_are_run_by_one_verb() -> None:
    shown = {command.text for command in COMMANDS if re.match(r"python (?!-m bench\.)", command.text)}
    assert shown <= {f"python -m SERVICE {process}" for process in ("web", "worker", "check-worker")}
