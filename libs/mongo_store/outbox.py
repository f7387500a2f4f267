"""The outbox of events in MongoDB: collections `outbox`, `outbox_dead` and `relay_lease`."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.client_session import ClientSession

from libs.messaging.envelope import EventData, OutboxRow, new_rows
from libs.messaging.relay import MAX_LEASE_SECONDS
from libs.mongo_store.connection import Db
from libs.mongo_store.failures import is_temporary
from libs.mongo_store.inserts import insert
from libs.mongo_store.transactions import in_transaction

DEAD_EVENT_SECONDS = 90 * 24 * 3600  # an operator publishes a refused event again soon, or never


def _document(row: OutboxRow) -> dict[str, Any]:
    fields = asdict(row)
    return {"_id": fields.pop("event_id"), **fields}


class MongoOutbox:
    """A service's outbox. `add` and `add_events` belong to its store, the other methods to the relay."""

    is_temporary = staticmethod(is_temporary)

    def __init__(self, db: Db) -> None:
        self._db, self._rows, self._dead, self._lease = db, db["outbox"], db["outbox_dead"], db["relay_lease"]

    def ensure_indexes(self) -> None:
        """Create the collections and indexes. A transaction must not create them."""
        unique = IndexModel([("aggregate_id", ASCENDING), ("sequence", ASCENDING)], unique=True)
        self._rows.create_indexes([unique, IndexModel([("created_at", ASCENDING)])])
        self._dead.create_index([("died_at", ASCENDING)], expireAfterSeconds=DEAD_EVENT_SECONDS)
        self._dead.create_index([("aggregate_id", ASCENDING)])
        free = {"owner": "", "expires_at": datetime.fromtimestamp(0, UTC)}
        self._lease.update_one({"_id": "relay"}, {"$setOnInsert": free}, upsert=True)

    def renew_lease(self, owner: str, seconds: int) -> bool:
        """Acquire or renew the lease, by the server's clock. `ensure_indexes` creates its document: `$expr` can't be upserted."""
        longest = {"$add": ["$$NOW", MAX_LEASE_SECONDS * 1000]}
        is_over = [{"$lt": ["$expires_at", "$$NOW"]}, {"$gt": ["$expires_at", longest]}]
        free = {"$or": [{"$eq": ["$owner", owner]}, *is_over]}
        until = {"$add": ["$$NOW", seconds * 1000]}
        mine = [{"$set": {"owner": owner, "expires_at": until}}]
        return self._lease.update_one({"_id": "relay", "$expr": free}, mine).matched_count == 1

    def add(self, row: OutboxRow, session: ClientSession) -> None:
        """Store `row` in the caller's transaction."""
        self._rows.insert_one(_document(row), session=session)

    def add_all(self, rows: Sequence[OutboxRow], session: ClientSession) -> None:
        """Store rows of any aggregates in the caller's transaction, in this sequence."""
        if rows:
            insert(self._rows, [_document(row) for row in rows], session)

    def add_events(
        self,
        events: Sequence[EventData],
        session: ClientSession,
        *,
        source: str,
        aggregate_id: str,
        first_sequence: int,
        at: datetime | None = None,
    ) -> None:
        """Store an aggregate's events in the caller's transaction, numbered from `first_sequence`. `at`: as for `new_row`."""
        rows = new_rows(events, source=source, aggregate_id=aggregate_id, first_sequence=first_sequence, at=at)
        self.add_all(rows, session)

    def waiting(self, event_ids: Collection[str], session: ClientSession) -> set[str]:
        """Those of these events that are not published yet."""
        found = self._rows.find({"_id": {"$in": list(event_ids)}}, {"_id": 1}, session=session)
        return {row["_id"] for row in found}

    def discard(self, aggregate_id: str, topics: Collection[str], session: ClientSession) -> None:
        """Delete an aggregate's events of these topics in the caller's transaction: waiting ones and refused ones."""
        for rows in (self._rows, self._dead):
            rows.delete_many({"aggregate_id": aggregate_id, "topic": {"$in": sorted(topics)}}, session=session)

    def pending(self, limit: int) -> Sequence[OutboxRow]:
        """Rows by time, read from one snapshot. A full batch also gets the earlier rows of its aggregates, because the
        writers' clocks may differ."""
        with self._db.client.start_session(snapshot=True) as session:
            rows = list(self._rows.find(session=session).sort("created_at", ASCENDING).limit(limit))
            if len(rows) == limit:
                highest = {r["aggregate_id"]: r["sequence"] for r in sorted(rows, key=lambda r: int(r["sequence"]))}
                earlier = {"$or": [{"aggregate_id": a, "sequence": {"$lt": s}} for a, s in highest.items()]}
                rows = list({r["_id"]: r for r in [*rows, *self._rows.find(earlier, session=session)]}.values())
        return [OutboxRow(event_id=row.pop("_id"), **row) for row in rows]

    def delete(self, rows: Sequence[OutboxRow]) -> None:
        """Delete published rows."""
        if rows:
            self._rows.delete_many({"_id": {"$in": [row.event_id for row in rows]}})

    def move_to_dead(self, row: OutboxRow, reason: str) -> None:
        """Move a row to outbox_dead with the reason."""

        def move(session: ClientSession) -> None:
            if found := self._rows.find_one_and_delete({"_id": row.event_id}, session=session):
                dead = {**found, "reason": reason, "died_at": datetime.now(UTC)}
                self._dead.replace_one({"_id": row.event_id}, dead, upsert=True, session=session)  # it may die twice

        in_transaction(self._db, move)

    def count_dead(self) -> int:
        """The number of dead events."""
        return self._dead.count_documents({})

    def backlog(self) -> tuple[int, float]:
        """(number of rows, age of the oldest in seconds)."""
        oldest = self._rows.find_one({}, {"created_at": 1}, sort=[("created_at", ASCENDING)])
        age = (datetime.now(UTC) - oldest["created_at"]).total_seconds() if oldest else 0.0
        return self._rows.count_documents({}), max(0.0, age)
