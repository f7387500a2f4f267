"""The directories of a stack. No other module spells a path."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The clone. The services are started from here, and .env is here."""

TOOLS = ROOT / ".local" / "tools"
"""Downloaded servers. Every state directory of the clone shares them, so that tests download nothing."""


class State:
    """The directory of one stack: `make up` has .local, each test run has its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path / "data"  # The data of the servers. `make reset` deletes all of it.
        self.log = path / "log"  # One file for each process, limited in size.
        self.run = path / "run"  # Process ids and generated settings. A stop deletes it.
        self.ready = self.run / "ready.json"  # The settings of a shop that is up, until the next stop.
        self.temporary = self.run / "tmp"  # Temporary files of the processes.

    def make(self) -> None:
        """Create the directories, closed to other users: generated settings hold secrets."""
        for directory in (self.path, self.run, self.temporary, self.log, self.data):
            directory.mkdir(parents=True, exist_ok=True)
        self.run.chmod(0o700)
        self.data.chmod(0o700)
