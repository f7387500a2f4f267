"""The job `mongo-init`: the replica set (transactions need one), then an account for each service in a database of its own.

It runs in the image of user_service, whose driver it uses. A second run changes nothing but passwords: that rotates them.
"""

import sys
import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from libs.runtime.config import BaseConfig, Secret, load_or_exit

HOST = "mongo:27017"
SECONDS = 60
NOT_YET_INITIALIZED = 94

Client = MongoClient[dict[str, Any]]


class Config(BaseConfig):
    """The administrator's password and those of the accounts, or X_FILE for each."""

    mongo_root_password: Secret
    mongo_password_user: Secret
    mongo_password_product: Secret


def main() -> int:
    """Return the exit status; wait for the server for a minute."""
    config = load_or_exit(Config, "mongo-init")
    client: Client = MongoClient(
        HOST,
        username="root",
        password=config.mongo_root_password.get_secret_value(),
        directConnection=True,
        serverSelectionTimeoutMS=SECONDS * 1000,
    )
    try:
        form_replica_set(client)
        make_account(client, "microshop_user", config.mongo_password_user.get_secret_value())
        make_account(client, "microshop_product", config.mongo_password_product.get_secret_value())
    except (OperationFailure, TimeoutError) as error:
        sys.stderr.write(f"mongo-init: MongoDB refuses: {str(error)[:200]}\n")
        return 1
    return 0


def form_replica_set(client: Client) -> None:
    """Make a replica set of one unless there is one. Raises TimeoutError when it can't be written to within a minute."""
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": HOST}]})
    deadline = time.monotonic() + SECONDS
    while not client.admin.command("hello")["isWritablePrimary"]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no primary within {SECONDS} s")
        time.sleep(0.2)


def make_account(client: Client, name: str, password: str) -> None:
    """An account that may do anything in the database of its own name, and nothing elsewhere."""
    database = client[name]
    known = database.command("usersInfo", name)["users"]
    roles = [{"role": role, "db": name} for role in ("readWrite", "dbAdmin")]
    database.command("updateUser" if known else "createUser", name, pwd=password, roles=roles)


if __name__ == "__main__":
    sys.exit(main())
