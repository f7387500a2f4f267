"""MongoDB mechanics: bounded waits, the transaction of a change with its event, the outbox, the workers' states.

MongoEngine 0.29 has no sessions, so a transaction works on PyMongo collections (`Model._get_collection()`).
"""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import mongoengine
import pymongo
from pymongo.database import Database
from pymongo.errors import ConnectionFailure, ExecutionTimeout, WTimeoutError

TIMEOUT_MS = 4000  # an answer within 5 s even from a frozen server
UNAVAILABLE_ERRORS: tuple[type[Exception], ...] = (
    ConnectionFailure,
    ExecutionTimeout,
    WTimeoutError,
    mongoengine.ConnectionFailure,
)

T = TypeVar("T")
Db = Database[dict[str, Any]]


def connect(uri: str) -> Db:
    """Connect MongoEngine's default alias; call it after the fork. Does no I/O yet."""
    client = mongoengine.connect(
        host=uri,
        timeoutMS=TIMEOUT_MS,
        serverSelectionTimeoutMS=TIMEOUT_MS,
        connectTimeoutMS=2000,
        tz_aware=True,
        uuidRepresentation="standard",
        appname="microshop",
    )
    return cast(Db, client.get_default_database())


def ping(db: Db) -> Mapping[str, Any]:
    """Health check. Raises when the server is away."""
    with pymongo.timeout(2):
        db.command("ping")
    return {}
