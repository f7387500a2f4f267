"""docs/adding-a-service.md, followed literally in a copy of the tree. A piece that is left out is named by a test."""

import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from deploy.service_list import ROOT

TEXT = (ROOT / "docs" / "adding-a-service.md").read_text()
SECTIONS = dict(re.findall(r"^## (\d)\. .*?\n(.*?)(?=^## )", TEXT, re.MULTILINE | re.DOTALL))
BLOCKS = re.compile(r"([^\n]*)\n\n```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"(?P<verb>Write|Add to) `(?P<path>[^`]+)`(?:, (?P<side>before|after) `(?P<line>[^`]+)`)?:$")
LEFT_OUT = {
    "2": "requirements/parcel_service.in is missing",
    "3": "docker-compose.yaml has no entry for `parcel_service worker`",
    "4": "deploy/local/services.py has no entry for `parcel_service worker`",
    "5": "pyproject.toml has no contract for the rooms of parcel_service",
    "6": "tests/contracts/test_parcel_service.py is missing",
    "7": "docs/architecture.md does not name parcel_service",
}
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
    ended = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def check_without(number, directory):
    """Follow the recipe without one section and return what the tests of the lists say."""
    tree = shutil.copytree(ROOT, directory / number, ignore=IGNORED)
    follow(tree, [other for other in SECTIONS if other != number])
    return pytest_in(
        tree, "tests/architecture/test_services.py", "--noconftest", "-k", "parcel_service or test_no_place"
    )


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> Path:
    """A copy of the tree with the new service."""
    tree = shutil.copytree(ROOT, tmp_path_factory.mktemp("recipe") / "whole", ignore=IGNORED)
    follow(tree, SECTIONS)
    return tree


def test_the_recipe_makes_a_service_that_passes_its_tests_and_all_rules_of_the_tree(followed):
    paths = ("tests/architecture", "parcel_service/tests", "tests/contracts/test_parcel_service.py", "tests/local")
    more = ("-m", "unit or architecture or contract", "--ignore", "tests/architecture/test_recipe.py")
    status, output = pytest_in(followed, *paths, *more)
    assert status == 0, output


def test_the_code_of_the_recipe_keeps_the_import_rules_and_the_style(followed):
    tools = Path(sys.executable).parent
    for command in (["ruff", "check"], ["ruff", "format", "--check"]):
        paths = ("parcel_service", "tests/contracts/test_parcel_service.py")
        ended = subprocess.run([tools / command[0], *command[1:], *paths], cwd=followed, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout
    rules = subprocess.run([tools / "lint-imports", "--no-cache"], cwd=followed, capture_output=True, text=True)
    assert "Rooms of parcel_service KEPT" in rules.stdout, rules.stdout + rules.stderr


def test_a_piece_that_is_left_out_is_named(tmp_path):
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(partial(check_without, directory=tmp_path), LEFT_OUT)
    for (status, output), missing in zip(results, LEFT_OUT.values(), strict=True):
        assert status == 1, output
        assert missing in output
