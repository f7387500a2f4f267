"""The settings of a stack: .env, overridden by the environment, for the names in env.example."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy import envfile
from deploy.local.errors import LocalError

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Settings:
    """All variables that have a value. An empty value counts as missing."""

    values: Mapping[str, str]
    source: Path

    def require(self, *names: str) -> None:
        """Raise LocalError that names every missing variable in one line."""
        missing = [name for name in names if not self.values.get(name)]
        if missing:
            raise LocalError(f"not set in {self.source.name} or the environment: {', '.join(missing)}")

    def get(self, name: str) -> str:
        """A required value."""
        self.require(name)
        return self.values[name]

    def port(self, name: str, default: int) -> int:
        """A port number between 1 and 65535."""
        text = self.values.get(name) or str(default)
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise LocalError(f"{name} must be a port number between 1 and 65535")
        return int(text)

    def local_port(self, name: str, address: str) -> int:
        """The port of an address on loopback, such as 127.0.0.1:9092 or mongodb://127.0.0.1:27017/db."""
        with suppress(ValueError):
            parts = urlsplit(address if "//" in address else f"//{address}")
            if parts.hostname in LOOPBACK_NAMES and parts.port:
                return parts.port
        raise LocalError(f"{name} must name a port on 127.0.0.1: this stack starts its own server there")


def load(path: Path) -> Settings:
    """Read a .env and the environment. `X_FILE` names a file that holds X, as for the services."""
    known, values = envfile.read(envfile.EXAMPLE).keys(), envfile.read(path)
    found = {name: _find(name, os.environ) or _find(name, values) for name in known | values.keys()}
    return Settings({name: value for name, value in found.items() if value.strip()}, path)


def _find(name: str, place: Mapping[str, str]) -> str:
    file = place.get(f"{name}_FILE")
    if place.get(name) or not file:
        return place.get(name, "")
    try:
        return Path(file).read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise LocalError(f"{name}_FILE names a file that can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise LocalError(f"{name}_FILE names a file that can't be read: it is not UTF-8") from None
