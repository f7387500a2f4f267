"""The file .env: made once from env.example with fresh secrets, never changed afterwards.

The format is the one that Compose and most shells agree on: NAME=value lines, # comments, optional quotes.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.state import ROOT

EXAMPLE = ROOT / "env.example"
HEADER = "# Made by `make env` for this machine. Not for the repository: it holds secrets.\n"


def _password() -> str:
    return secrets.token_urlsafe(24)  # 192 bits


def _key() -> str:
    return secrets.token_urlsafe(48)


GENERATED: dict[str, Callable[[], str]] = {
    "JWT_SECRET": _key,
    "DJANGO_SECRET_KEY": _key,
    "MYSQL_ROOT_PASSWORD": _password,
    "MYSQL_PASSWORD": _password,
    "MYSQL_MIGRATE_PASSWORD": _password,
    "SMTP_PASSWORD": _password,
    "STAFF_PASSWORD": _password,
    "MONGO_ROOT_PASSWORD": _password,
    "MONGO_PASSWORD_USER": _password,
    "MONGO_PASSWORD_PRODUCT": _password,
    "MONGO_KEYFILE": lambda: secrets.token_hex(48),  # a key file may hold base64 characters only
    "MONGO_URI_USER": lambda: "mongodb://127.0.0.1:27017/microshop_user?replicaSet=rs0",
    "MONGO_URI_PRODUCT": lambda: "mongodb://127.0.0.1:27017/microshop_product?replicaSet=rs0",
}
"""What env.example leaves empty and a machine of its own needs."""

LOCAL = {"RATE_LIMIT_REGISTER": "off"}
"""What suits a machine of one's own and no other."""


def read(path: Path) -> dict[str, str]:
    """The variables of a file, in its order. Raises LocalError for a line that is none."""
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.removeprefix("export ").partition("=")
        if not equals or not name.strip().isidentifier():
            raise LocalError(f"{path.name}, line {number} is not NAME=value")  # without the line: it may be a secret
        found[name.strip()] = _unquote(value.strip())
    return found


def _unquote(value: str) -> str:
    """The value without its quotes, or without the comment behind it."""
    if value[:1] in ("'", '"') and value.count(value[0]) > 1:
        return value[1 : value.index(value[0], 1)]
    return value.partition(" #")[0].rstrip()


def create(path: Path) -> None:
    """Write a .env with fresh secrets, readable by its owner only. Raises FileExistsError rather than touch one."""
    text = HEADER + "".join(_fill(line) for line in EXAMPLE.read_text().splitlines(keepends=True))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _fill(line: str) -> str:
    name, _, value = line.strip().partition("=")
    if name in LOCAL:
        return f"{name}={LOCAL[name]}\n"
    if value or name not in GENERATED:
        return line
    return f"{name}={GENERATED[name]()}\n"
