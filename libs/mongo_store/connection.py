"""The connection to MongoDB, with time limits.

MongoEngine 0.29 has no transactions, so a transaction works on PyMongo collections (`Model._get_collection()`).
"""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import mongoengine
import pymongo
from pymongo.database import Database
from pymongo.errors import ConnectionFailure, ExecutionTimeout, WTimeoutError

from libs.mongo_store.wait_listener import CommandWaits, ConnectionWaits, PrimaryWaits

TIMEOUT_MS = 4000  # a request ends within 5 s, even when the server is frozen
UNAVAILABLE_ERRORS: tuple[type[Exception], ...] = (
    ConnectionFailure,
    ExecutionTimeout,
    WTimeoutError,
    mongoengine.ConnectionFailure,
)
"""What the drivers raise when the database server is unavailable."""

LISTENERS = (CommandWaits(), ConnectionWaits(), PrimaryWaits())
"""The same objects at each call: MongoEngine refuses a second connection with other settings under the same alias."""

T = TypeVar("T")
Db = Database[dict[str, Any]]


def connect(uri: str) -> Db:
    """Connect MongoEngine's default alias. Call it after the fork. It does no I/O. It may be called again with the same URI."""
    client = mongoengine.connect(
        host=uri,
        timeoutMS=TIMEOUT_MS,
        serverSelectionTimeoutMS=TIMEOUT_MS,
        connectTimeoutMS=2000,
        tz_aware=True,
        uuidRepresentation="standard",
        appname="microshop",
        event_listeners=LISTENERS,
    )
    return cast(Db, client.get_default_database())


def ping(db: Db) -> Mapping[str, object]:
    """Health check. Raises an error of UNAVAILABLE_ERRORS when the server does not answer within 2 s."""
    with pymongo.timeout(2):
        db.command("ping")
    return {}
