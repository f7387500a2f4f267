"""Inserts in a transaction by the command of the server, which takes the driver half of the time of `insert_one`."""

from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, WriteError

DUPLICATE_KEY = 11000


def insert(
    collection: Collection[dict[str, Any]], rows: Sequence[Mapping[str, Any]], transaction: ClientSession
) -> None:
    """Insert documents in the caller's transaction. A document without an `_id` gets one, as from `insert_many`.

    Raises DuplicateKeyError, and the driver's other errors.
    """
    documents = [row if "_id" in row else {"_id": ObjectId(), **row} for row in rows]
    command = {"insert": collection.name, "documents": documents}
    reply = collection.database.command(command, session=transaction)
    if refused := reply.get("writeErrors"):
        first = refused[0]
        kind = DuplicateKeyError if first["code"] == DUPLICATE_KEY else WriteError
        raise kind(first["errmsg"], first["code"], first)
