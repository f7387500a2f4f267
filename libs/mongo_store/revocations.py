"""Revocations of the last hour in MongoDB."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, UpdateOne
from pymongo.client_session import ClientSession

from libs.access.revocations import RETENTION_SECONDS, Revocation
from libs.mongo_store.connection import Db, database_time


class MongoRevocations:
    """The revocations of the last hour in collection `revocations`: `libs.access.revocations` reads them."""

    def __init__(self, db: Db) -> None:
        self._db, self._rows = db, db["revocations"]

    def ensure_indexes(self) -> None:
        """Create the index that finds new rows. MongoDB also deletes old rows by it."""
        self._rows.create_index([("stored_at", ASCENDING)], expireAfterSeconds=int(RETENTION_SECONDS))

    def add(self, one: Revocation, session: ClientSession | None = None) -> None:
        """Store a revocation, at the server's time. A second call with the same one changes nothing."""
        self.add_all([one], session)

    def add_all(self, revocations: Collection[Revocation], session: ClientSession | None = None) -> None:
        """As `add`, for several, by one command. No command for none."""
        if writes := [UpdateOne(*_upsert(one), upsert=True) for one in revocations]:
            self._rows.bulk_write(writes, ordered=False, session=session)

    def read(self, since: datetime | None) -> tuple[datetime, list[Revocation]]:
        """The server's time, and the revocations stored since `since`; all for None."""
        began = database_time(self._db)
        found = self._rows.find({"stored_at": {"$gte": since}} if since else {})
        return began, [Revocation(row["user_id"], row["sid"], row["not_before"]) for row in found]


def _upsert(one: Revocation) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The filter and the update."""
    row = {"$literal": asdict(one)}
    insert = {"$replaceWith": {"$mergeObjects": [{"stored_at": "$$NOW"}, row, "$$ROOT"]}}
    return {"_id": f"{one.user_id} {one.sid or ''} {one.not_before}"}, [insert]
