"""Revocations of the last hour in MongoDB."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime

from pymongo import ASCENDING
from pymongo.client_session import ClientSession

from libs.access.revocations import RETENTION_SECONDS, Revocation
from libs.mongo_store.connection import Db


class MongoRevocations:
    """The revocations of the last hour in collection `revocations`: `libs.access.revocations` reads them."""

    def __init__(self, db: Db) -> None:
        self._rows = db["revocations"]

    def ensure_indexes(self) -> None:
        """Create the index that finds new rows. MongoDB also deletes old rows by it."""
        self._rows.create_index([("stored_at", ASCENDING)], expireAfterSeconds=int(RETENTION_SECONDS))

    def add(self, one: Revocation, session: ClientSession | None = None) -> None:
        """Store a revocation. A second call with the same one changes nothing."""
        row = asdict(one) | {"stored_at": datetime.now(UTC)}
        key = {"_id": f"{one.user_id} {one.sid or ''} {one.not_before}"}
        self._rows.update_one(key, {"$setOnInsert": row}, upsert=True, session=session)

    def since(self, moment: float) -> Iterator[Revocation]:
        """Those that were stored since `moment` (seconds since the epoch)."""
        for row in self._rows.find({"stored_at": {"$gte": datetime.fromtimestamp(moment, UTC)}}):
            yield Revocation(row["user_id"], row["sid"], row["not_before"])
