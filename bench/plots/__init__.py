"""The plots of a result. matplotlib draws them in an environment of its own: nothing else of the project needs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from deploy.local.console import say, step
from deploy.local.state import ROOT

HERE = Path(__file__).parent
VENV = ROOT / ".local" / "bench-plots"


def draw(result: Path) -> tuple[str, ...]:
    """Draw the plots of a JSON result beside it. Returns the names of the files; without matplotlib a warning and none."""
    python = VENV / "bin" / "python"
    try:
        if not python.exists():
            with step("installing matplotlib"):
                _run(sys.executable, "-m", "venv", str(VENV))
                lock = str(HERE / "requirements.txt")
                _run(str(python), "-m", "pip", "install", "-q", "--require-hashes", "--no-deps", "-r", lock)
        return tuple(_run(str(python), str(HERE / "figures.py"), str(result)).split())
    except subprocess.CalledProcessError as error:
        say(f"no plots: {error.stderr.strip()[-300:]}")
        return ()


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
