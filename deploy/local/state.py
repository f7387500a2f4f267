"""Where the stack keeps its files, so that no other module spells a path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The clone: the services are started from here, and .env lies here."""

TOOLS = ROOT / ".local" / "tools"
"""Downloaded servers. Shared by every state directory of the clone, so that tests download nothing again."""


@dataclass(frozen=True)
class State:
    """One running stack's directory: `make up` has .local, each test run has its own."""

    path: Path

    @property
    def run(self) -> Path:
        """Process ids and generated settings: gone after a stop."""
        return self.path / "run"

    @property
    def temporary(self) -> Path:
        """For the processes' own temporary files: what a killed one leaves goes with the next stop."""
        return self.run / "tmp"

    @property
    def log(self) -> Path:
        """One file a process, bounded."""
        return self.path / "log"

    @property
    def data(self) -> Path:
        """What the servers store: all that `make reset` deletes."""
        return self.path / "data"

    def make(self) -> None:
        """Create the directories, closed to other users: generated settings hold secrets."""
        for directory in (self.path, self.run, self.temporary, self.log, self.data):
            directory.mkdir(parents=True, exist_ok=True)
        self.run.chmod(0o700)
        self.data.chmod(0o700)
