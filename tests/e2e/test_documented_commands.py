"""The commands of the documents, typed into a shell beside the running shop."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from deploy.local.state import ROOT
from deploy.service_list import ports
from tests.documented_commands import find_commands
from tests.shop import Shop

SECONDS = 120
RUN = [command for command in find_commands() if not command.is_exempt]


def run(shop: Shop, text: str) -> subprocess.CompletedProcess[str]:
    """Run a command with this shop in place of the one in .local, and its ports in place of the usual ones."""
    for variable, default in ports().values():
        text = re.sub(rf"127\.0\.0\.1:{default}\b", f"127.0.0.1:{shop.env[variable]}", text)
    local = f"{sys.executable} -m deploy.local --state {shop.state.path} --env {shop.env_file}"
    text = re.sub(r"^((?:[A-Z_]+=\S+ )*)make\b", rf'\1make LOCAL="{local}"', text)
    text = re.sub(r"^curl\b", "curl --fail --silent --show-error", text)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        ["bash", "-c", text], cwd=ROOT, env=kept, capture_output=True, text=True, timeout=SECONDS, check=False
    )


@pytest.mark.parametrize("text", sorted({command.text for command in RUN}))
def test_a_documented_command_works(shop: Shop, text: str) -> None:
    done = run(shop, text)
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    assert done.stdout.strip()


def test_the_commands_that_people_need_first_are_among_them() -> None:
    texts = {command.text for command in RUN}
    assert {"make", "make demo", "make status", "curl 127.0.0.1:3000/health"} <= texts
    assert any(re.match(r"make manage SERVICE=\w+ ARGS=", text) for text in texts)
