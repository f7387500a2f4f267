"""The programs of the servers: an installed one where there is one, otherwise what `make` downloaded."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.state import TOOLS

MONGO_DIR = TOOLS / "mongo"
KAFKA_LIBS = TOOLS / "kafka"
SENDRIA_VENV = TOOLS / "sendria"


@dataclass(frozen=True)
class Program:
    """A program and the variables that it needs to run."""

    program: Path
    env: Mapping[str, str]


def mongod() -> Program:
    """The installed mongod, or the downloaded one with its own OpenSSL 1.1, which Debian dropped."""
    installed = shutil.which("mongod")
    if installed:
        return Program(Path(installed), {})
    return Program(_present(MONGO_DIR / "mongod"), {"LD_LIBRARY_PATH": str(MONGO_DIR)})


def java() -> str:
    """The Java runtime: any since 17 runs Kafka 4."""
    return shutil.which("java") or str(_present(Path("/usr/bin/java")))


def sendria() -> Path:
    """The interpreter that has the mail catcher."""
    return _present(SENDRIA_VENV / "bin" / "python")


def _present(path: Path) -> Path:
    if not path.exists():
        raise LocalError(f"{path} is missing: deploy/local/bootstrap.sh installs it")
    return path
