"""The programs of the servers: the installed one, otherwise the one that `make setup` has downloaded."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from deploy.local.errors import LocalError
from deploy.local.state import TOOLS

MONGO_DIR = TOOLS / "mongo"
KAFKA_LIBS = TOOLS / "kafka"
SENDRIA_VENV = TOOLS / "sendria"
KASKADE_VENV = TOOLS / "kaskade"
ZIPKIN_DIR = TOOLS / "zipkin"
ZIPKIN = ZIPKIN_DIR / "zipkin-server-3.5.1-exec.jar"

PATH = os.pathsep.join(
    (os.environ.get("PATH", ""), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
).strip(":")
"""Debian leaves sbin out of an ordinary user's PATH, and mariadbd is there."""


def find_program(*names: str, installer: str = "deploy/install/bootstrap.sh") -> str:
    """The path of the first of these programs that is installed. Raises LocalError with the command that installs it."""
    for name in names:
        if path := shutil.which(name, path=PATH):
            return path
    raise LocalError(f"{' or '.join(names)} is not installed: `{installer}` installs it")


class Program(NamedTuple):
    """A program and the variables that it needs to run."""

    program: Path
    env: Mapping[str, str]


def mongod() -> Program:
    """The installed mongod, or the downloaded one with its own OpenSSL 1.1, which Debian has no more."""
    installed = shutil.which("mongod")
    if installed:
        return Program(Path(installed), {})
    return Program(_present(MONGO_DIR / "mongod"), {"LD_LIBRARY_PATH": str(MONGO_DIR)})


def java() -> str:
    """The Java runtime. Kafka 4 needs 17 or newer."""
    return find_program("java")


def sendria() -> Path:
    """The interpreter that has the mail catcher."""
    return _present(SENDRIA_VENV / "bin" / "python")


def kaskade() -> Path:
    """The interpreter that has kaskade."""
    return _present(KASKADE_VENV / "bin" / "python")


def _present(path: Path) -> Path:
    if not path.exists():
        raise LocalError(f"{path} is missing: deploy/install/bootstrap.sh installs it")
    return path
