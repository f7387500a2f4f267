"""What it takes to start one process: the same description serves the supervisor and the tests."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.state import State

SYSTEM_PATH = os.pathsep.join(("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"))
"""Debian leaves sbin out of an ordinary user's PATH, and mariadbd lies there."""


@dataclass(frozen=True)
class Process:
    """A command with exactly the environment it is given: nothing leaks in from the shell that started the stack.

    `stop_seconds` is how long it may take to end by itself before it is killed.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: int = 30

    def write_plan(self, state: State) -> Path:
        """Write what `launch` needs, readable by the owner only: the environment holds secrets."""
        path = plan_path(state, self.name)
        path.touch(mode=0o600)
        path.write_text(json.dumps({"argv": self.argv, "env": base_env(state) | dict(self.env)}))
        return path


def plan_path(state: State, name: str) -> Path:
    """Where the plan of a process lies."""
    return state.run / f"{name}.plan"


def base_env(state: State) -> dict[str, str]:
    """What every process gets. MICROSHOP_STATE marks our processes, so that no other is ever ended by mistake."""
    kept = {name: os.environ[name] for name in ("HOME", "USER", "LANG", "TZ") if name in os.environ}
    path = os.pathsep.join((os.environ.get("PATH", ""), SYSTEM_PATH)).strip(os.pathsep)
    ours = {"PATH": path, "TMPDIR": str(state.temporary), "MICROSHOP_STATE": str(state.path)}
    return kept | ours | {"PYTHONUNBUFFERED": "1"}
