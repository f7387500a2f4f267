"""A clone in a folder of any name: the shop starts, and it writes only inside the clone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.state import ROOT, TOOLS
from tests.shop import COMMAND_SECONDS, make_shop

NAME = "Zürich, 100 % 'Café' #1"


@dataclass(frozen=True)
class Clone:
    """A copy of the repository with its downloads."""

    path: Path

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`python -m deploy.local` of the clone, in a terminal whose locale names no encoding."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        command = [sys.executable, "-m", "deploy.local", *arguments]
        return subprocess.run(
            command, cwd=self.path, env=kept, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )


@pytest.fixture
def clone() -> Iterator[Clone]:
    """Not in tmp_path: the names of the test and of pytest-xdist's worker in it make it long for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="c") as directory:
        yield from make_clone(Path(directory) / NAME)


def make_clone(path: Path) -> Iterator[Clone]:
    """Copy the repository. Its shop is down at the end."""
    clone = Clone(path)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (clone.path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, clone.path / name)
    (clone.path / ".local").mkdir()
    (clone.path / ".local" / "tools").symlink_to(TOOLS.resolve())
    yield clone
    clone.command("down")


def test_the_shop_starts_in_it_and_writes_nothing_outside(clone: Clone) -> None:
    known = set(ROOT.iterdir())
    shop = make_shop(clone.path)
    shop.env_file.write_bytes("\ufeff".encode() + shop.env_file.read_bytes())  # as some editors save it
    up = clone.command("up")
    assert (up.returncode, "The shop is up." in up.stdout) == (0, True), up.stdout + up.stderr
    assert clone.command("down").returncode == 0
    assert [path.name for path in clone.path.parent.iterdir()] == [NAME]
    assert set(ROOT.iterdir()) == known
