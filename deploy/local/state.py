"""The directories of a stack. No other module spells a path."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The clone. The services are started from here, and .env is here."""

TOOLS = ROOT / ".local" / "tools"
"""Downloaded servers. Every state directory of the clone shares them, so that tests download nothing."""


@dataclass(frozen=True)
class State:
    """The directory of one stack: `make up` has .local, each test run has its own."""

    path: Path

    @property
    def run(self) -> Path:
        """Process ids and generated settings. A stop deletes it."""
        return self.path / "run"

    @property
    def ready(self) -> Path:
        """A file that exists from the end of an `up` to the next stop."""
        return self.run / "ready"

    @property
    def temporary(self) -> Path:
        """Temporary files of the processes. A stop deletes what a killed process has left."""
        return self.run / "tmp"

    @property
    def log(self) -> Path:
        """One file for each process, limited in size."""
        return self.path / "log"

    @property
    def data(self) -> Path:
        """The servers' data: all that `make reset` deletes."""
        return self.path / "data"

    def make(self) -> None:
        """Create the directories, closed to other users: generated settings hold secrets."""
        for directory in (self.path, self.run, self.temporary, self.log, self.data):
            directory.mkdir(parents=True, exist_ok=True)
        self.run.chmod(0o700)
        self.data.chmod(0o700)
