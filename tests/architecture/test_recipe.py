"""docs/adding-a-service.md, followed literally in a copy of the tree. A piece that is left out is named by a test."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.service_list import ROOT

TEXT = (ROOT / "docs" / "adding-a-service.md").read_text()
SECTIONS = dict(re.findall(r"^## (\d)\. .*?\n(.*?)(?=^## )", TEXT, re.MULTILINE | re.DOTALL))
BLOCKS = re.compile(r"([^\n]*)\n\n```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"(?P<verb>Write|Add to) `(?P<path>[^`]+)`(?:, (?P<side>before|after) `(?P<line>[^`]+)`)?:$")
MISSING = (
    "requirements/parcel_service.in is missing",
    "docker-compose.yaml has no entry for `parcel_service worker`",
    "deploy/local/services.py has no entry for `parcel_service worker`",
    "pyproject.toml, contract 'No service imports another': parcel_service is missing",
    "parcel_service/tests/unit has no test",
    "docs/architecture.md does not name parcel_service",
)
OF_EACH_SERVICE = "test_tree or test_configuration or compose_itself"  # slow, and the same for the other services
IGNORED = shutil.ignore_patterns(".git", ".venv", ".local", ".env", ".secrets", "__pycache__", ".*_cache", "results")


def follow(tree, sections):
    """Do what the sections say: write and change files, run the commands."""
    for number in sections:
        assert SECTIONS[number].count("```") == 2 * len(BLOCKS.findall(SECTIONS[number])), "a block without a sentence"
        for before, language, block in BLOCKS.findall(SECTIONS[number]):
            if language == "sh":
                run(tree, block)
            elif step := STEP.search(before):
                apply(tree, block, **step.groupdict())
            else:
                raise AssertionError(f"no step before this block: {before!r}")


def run(tree, block):
    if block == "make lock\n":  # it needs the network: the locks have all these packages already
        locked = tree / "requirements" / "product_service.txt"
        shutil.copy(locked, locked.with_name("parcel_service.txt"))
        return
    subprocess.run(["bash", "-ec", block], cwd=tree, check=True)


def apply(tree, block, *, verb, path, side, line):
    file = tree / path
    if verb == "Write":
        assert not file.exists(), path
        file.write_text(block)
        return
    lines = file.read_text().splitlines(keepends=True)
    (place,) = (number for number, text in enumerate(lines) if text.strip() == line)
    lines.insert(place + (side == "after"), block)
    file.write_text("".join(lines))


def pytest_in(tree, *arguments):
    """Run pytest in a copy; return its exit status and its output."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ended = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> Path:
    """A copy of the tree with the new service."""
    tree = shutil.copytree(ROOT, tmp_path_factory.mktemp("recipe") / "whole", ignore=IGNORED)
    follow(tree, SECTIONS)
    return tree


def test_the_recipe_makes_a_service_that_passes_its_tests_and_all_rules_of_the_tree(followed):
    paths = ("tests/architecture", "tests/local/test_services.py", "tests/local/test_envfile.py")
    paths += ("parcel_service/tests", "tests/contracts/test_parcel_service.py")
    others = ("--ignore", "tests/architecture/test_recipe.py", "-k", f"parcel or not ({OF_EACH_SERVICE})")
    status, output = pytest_in(followed, *paths, *others)
    assert status == 0, output


def test_the_code_of_the_recipe_keeps_the_import_rules_and_the_style(followed):
    tools = Path(sys.executable).parent
    for command in (["ruff", "check"], ["ruff", "format", "--check"]):
        paths = ("parcel_service", "tests/contracts/test_parcel_service.py")
        ended = subprocess.run([tools / command[0], *command[1:], *paths], cwd=followed, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout
    rules = subprocess.run([tools / "lint-imports", "--no-cache"], cwd=followed, capture_output=True, text=True)
    assert "Rooms of parcel_service KEPT" in rules.stdout, rules.stdout + rules.stderr


def test_each_piece_that_is_left_out_is_named_by_a_test_of_its_own(tmp_path):
    tree = shutil.copytree(ROOT, tmp_path / "package", ignore=IGNORED)
    follow(tree, "1")
    status, output = pytest_in(tree, "tests/architecture/test_services.py", "--noconftest", "-k", "parcel_service")
    assert status == 1, output
    assert [text for text in MISSING if f"AssertionError: {text}" not in output] == []
    assert f"{len(MISSING)} failed" in output
