"""`make secrets`: a file for each secret of .env, for deploy/compose/secrets.yaml.

Only the owner may enter the directory. All may read its files, because the containers' accounts are not the owner. An existing
file stays as it is: write its file to rotate a secret.
"""

import sys
from pathlib import Path

from deploy import envfile
from deploy.local.errors import LocalError
from deploy.service_list import ROOT, mongo_names

DIRECTORY = ROOT / ".secrets"
NAMES = (
    "JWT_SECRET",
    "DJANGO_SECRET_KEY",
    "ENCRYPTION_KEY",
    "MYSQL_ROOT_PASSWORD",
    "MYSQL_PASSWORD",
    "MYSQL_MIGRATE_PASSWORD",
    "SMTP_PASSWORD",
    "STAFF_PASSWORD",
    "MONGO_ROOT_PASSWORD",
    "MONGO_KEYFILE",
    *(f"MONGO_PASSWORD_{name.upper()}" for name in mongo_names()),
    *envfile.kafka_passwords(),
    "KAFKA_UI_PASSWORD",
)
ADDRESS = "mongodb://microshop_{0}:{1}@mongo:27017/microshop_{0}?replicaSet=rs0"


def write(env_file: Path, directory: Path) -> list[str]:
    """Write the missing files and return their names. Raises LocalError that names every secret that `env_file` lacks."""
    values = envfile.read(env_file)
    there = {path.name for path in directory.iterdir()} if directory.exists() else set()
    missing = [name for name in NAMES if name not in there and not values.get(name)]
    if missing:
        raise LocalError(f"not set in {env_file.name}: {', '.join(missing)}")
    directory.mkdir(mode=0o700, exist_ok=True)
    texts = {name: _known(name, directory, values) for name in NAMES}
    for name in mongo_names():
        texts[f"MONGO_URI_{name.upper()}"] = ADDRESS.format(name, texts[f"MONGO_PASSWORD_{name.upper()}"])
    new = [name for name in texts if name not in there]
    for name in new:
        (directory / name).write_text(texts[name])
        (directory / name).chmod(0o444)
    return new


def _known(name: str, directory: Path, values: dict[str, str]) -> str:
    path = directory / name
    return path.read_text(encoding="utf-8-sig").strip() if path.exists() else values[name]


def main() -> int:
    """Return the exit status: 1 with one line on stderr for an error that a person can correct."""
    try:
        new = write(ROOT / ".env", DIRECTORY)
    except (LocalError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    print(f"{len(new)} files written to {DIRECTORY}; delete the secrets from .env once the shop runs with them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
