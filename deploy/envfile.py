"""The file .env: made once from env.example with fresh secrets, and never changed afterwards.

The format is the one that Compose and most shells share: NAME=value lines, # comments, optional quotes.
"""

import base64
import os
import secrets
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.service_list import ROOT, SERVICES, mongo_names, variables

EXAMPLE = ROOT / "env.example"
HEADER = "# Made by `make env` for this machine. Not for the repository: it holds secrets.\n"

_password = partial(secrets.token_urlsafe, 24)  # 192 bits


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def kafka_passwords() -> tuple[str, ...]:
    """The variables of Kafka's accounts in Compose: one for each service, and the administrator's."""
    names = (service.removesuffix("_service") for service in SERVICES if "KAFKA_BROKERS" in variables(service))
    return tuple(f"KAFKA_PASSWORD_{name.upper()}" for name in (*names, "admin"))


def _local_uri(name: str) -> str:
    return f"mongodb://127.0.0.1:27017/microshop_{name}?replicaSet=rs0"


@cache
def generated() -> dict[str, Callable[[], str]]:
    """The values that env.example leaves empty and that each machine gets for itself."""
    passwords = (
        "MYSQL_ROOT_PASSWORD MYSQL_PASSWORD MYSQL_MIGRATE_PASSWORD SMTP_PASSWORD STAFF_PASSWORD MONGO_ROOT_PASSWORD"
    )
    return {
        **dict.fromkeys(("JWT_SECRET", "DJANGO_SECRET_KEY"), partial(secrets.token_urlsafe, 48)),
        "ENCRYPTION_KEY": _fernet_key,
        **dict.fromkeys(passwords.split(), _password),
        **dict.fromkeys((*kafka_passwords(), "KAFKA_UI_PASSWORD"), _password),
        "MONGO_KEYFILE": partial(secrets.token_hex, 48),  # a key file may hold base64 characters only
        **{f"MONGO_PASSWORD_{name.upper()}": _password for name in mongo_names()},
        **{f"MONGO_URI_{name.upper()}": partial(_local_uri, name) for name in mongo_names()},
    }


LOCAL = {"RATE_LIMIT_REGISTER": "off"}
"""Values for a machine that only its developer uses."""


def read(path: Path) -> dict[str, str]:
    """The variables of a file, in its order. Raises LocalError for a line that is no setting, and for text that is not UTF-8."""
    found: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()  # some editors begin a file with a byte order mark
    except UnicodeDecodeError:
        raise LocalError(f"{path.name} is not UTF-8: save it as UTF-8") from None
    for number, line in enumerate(lines, start=1):
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
    """Write a .env with fresh secrets, readable by its owner only. Raises FileExistsError when the file exists."""
    text = HEADER + "".join(_fill(line) for line in EXAMPLE.read_text(encoding="utf-8").splitlines(keepends=True))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _fill(line: str) -> str:
    name, _, value = line.strip().partition("=")
    if name in LOCAL:
        return f"{name}={LOCAL[name]}\n"
    if value or name not in generated():
        return line
    return f"{name}={generated()[name]()}\n"
