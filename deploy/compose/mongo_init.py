"""The job `mongo-init`: the replica set, which transactions need, then an account for each service in its own database.

It runs in the image of user_service and uses its driver. A second run sets the passwords again, and so rotates them.
"""

import sys
import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from libs.runtime.config import BaseConfig, Secret, load_or_exit

HOST = "mongo:27017"
SECONDS = 60
PASSWORD = "mongo_password_"
NOT_YET_INITIALIZED = 94

Client = MongoClient[dict[str, Any]]


class Config(BaseConfig):
    """The passwords of the administrator and of each service's account, or X_FILE for each."""

    mongo_root_password: Secret
    mongo_password_user: Secret
    mongo_password_product: Secret


def main() -> int:
    """Return the exit status. Waits for the server for 60 s."""
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
        for field, password in config:
            if field.startswith(PASSWORD):
                make_account(client, f"microshop_{field.removeprefix(PASSWORD)}", password.get_secret_value())
    except (OperationFailure, TimeoutError) as error:
        sys.stderr.write(f"mongo-init: MongoDB refuses: {str(error)[:200]}\n")
        return 1
    return 0


def form_replica_set(client: Client) -> None:
    """Make a replica set of one unless there is one. Raises TimeoutError when it has no primary within 60 s."""
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
    """Make an account that may do anything in the database of its name, and nothing in the others."""
    database = client[name]
    known = database.command("usersInfo", name)["users"]
    roles = [{"role": role, "db": name} for role in ("readWrite", "dbAdmin")]
    database.command("updateUser" if known else "createUser", name, pwd=password, roles=roles)


if __name__ == "__main__":
    sys.exit(main())
