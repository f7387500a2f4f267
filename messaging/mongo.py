"""MongoDB mechanics: bounded waits, the transaction of a change with its event, the outbox, the workers' states.

MongoEngine 0.29 has no sessions, so a transaction works on PyMongo collections (`Model._get_collection()`).
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import mongoengine
import pymongo
from pymongo import ASCENDING, IndexModel
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import ConnectionFailure, ExecutionTimeout, PyMongoError, WTimeoutError

from messaging.envelope import OutboxRow
from messaging.revocations import KEPT_SECONDS, Revocation

TIMEOUT_MS = 4000  # an answer within 5 s even from a frozen server
AWAY: tuple[type[Exception], ...] = (ConnectionFailure, ExecutionTimeout, WTimeoutError, mongoengine.ConnectionFailure)
STATE_SECONDS = 3600
PAUSE_SECONDS = 0.02  # at most, between two tries of a transaction

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


class _Conflict(Exception):
    """Another transaction was quicker, or the connection broke: the work may be done again. The cause is the driver's error."""


def in_transaction(db: Db, work: Callable[[ClientSession], T]) -> T:
    """Run `work(session)` in one transaction, again on a write conflict; within TIMEOUT_MS (the driver's limit is 120 s).

    The pauses between tries are ours and stay short. The driver's grow to half a second, and somebody who changes a product that
    sells all the time never gets a turn (docs/adr/0028).
    """
    end = time.monotonic() + TIMEOUT_MS / 1000

    def once(session: ClientSession) -> T:
        try:
            return work(session)
        except PyMongoError as error:
            if error.has_error_label("TransientTransactionError"):
                raise _Conflict from error
            raise

    with pymongo.timeout(TIMEOUT_MS / 1000), db.client.start_session() as session:
        while True:
            try:
                return session.with_transaction(once)
            except _Conflict as conflict:
                pause = random.uniform(0, PAUSE_SECONDS)
                if time.monotonic() + pause >= end:
                    cause = conflict.__cause__
                    raise (cause if isinstance(cause, AWAY) else ExecutionTimeout("no turn in time")) from conflict
                time.sleep(pause)


def ping(db: Db) -> Mapping[str, Any]:
    """Health check. Raises when the server is away."""
    with pymongo.timeout(2):
        db.command("ping")
    return {}


class MongoOutbox:
    """The outbox in collections `outbox` and `outbox_dead`."""

    away = AWAY

    def __init__(self, db: Db) -> None:
        self._db, self._rows, self._dead, self._lease = db, db["outbox"], db["outbox_dead"], db["relay_lease"]

    def ensure_indexes(self) -> None:
        """Create the collections and indexes: a transaction must not."""
        order = IndexModel([("aggregate_id", ASCENDING), ("sequence", ASCENDING)], unique=True)
        self._rows.create_indexes([order, IndexModel([("created_at", ASCENDING)])])
        nobodys = {"owner": "", "expires_at": datetime.fromtimestamp(0, UTC)}
        self._lease.update_one({"_id": "relay"}, {"$setOnInsert": nobodys}, upsert=True)

    def renew_lease(self, owner: str, seconds: int) -> bool:
        """Take or keep the lease, by the server's clock. The document is there already: `$expr` can't be upserted."""
        free = {"$or": [{"$eq": ["$owner", owner]}, {"$lt": ["$expires_at", "$$NOW"]}]}
        until = {"$add": ["$$NOW", seconds * 1000]}
        mine = [{"$set": {"owner": owner, "expires_at": until}}]
        return self._lease.update_one({"_id": "relay", "$expr": free}, mine).matched_count == 1

    def add(self, row: OutboxRow, session: ClientSession) -> None:
        """Store `row` in the caller's transaction."""
        fields = asdict(row)
        self._rows.insert_one({"_id": fields.pop("event_id"), **fields}, session=session)

    def pending(self, limit: int) -> Sequence[OutboxRow]:
        """Rows by time, read from one snapshot; a full batch is completed with earlier rows of its aggregates, for the
        writers' clocks may differ."""
        with self._db.client.start_session(snapshot=True) as session:
            rows = list(self._rows.find(session=session).sort("created_at", ASCENDING).limit(limit))
            if len(rows) == limit:
                highest = {r["aggregate_id"]: r["sequence"] for r in sorted(rows, key=lambda r: int(r["sequence"]))}
                earlier = {"$or": [{"aggregate_id": a, "sequence": {"$lt": s}} for a, s in highest.items()]}
                rows = list({r["_id"]: r for r in [*rows, *self._rows.find(earlier, session=session)]}.values())
        return [OutboxRow(event_id=row.pop("_id"), **row) for row in rows]

    def delete(self, event_ids: Sequence[str]) -> None:
        """Forget published rows."""
        self._rows.delete_many({"_id": {"$in": list(event_ids)}})

    def bury(self, row: OutboxRow, reason: str) -> None:
        """Move a row to outbox_dead with the reason."""

        def move(session: ClientSession) -> None:
            if found := self._rows.find_one_and_delete({"_id": row.event_id}, session=session):
                self._dead.insert_one({**found, "reason": reason, "died_at": datetime.now(UTC)}, session=session)

        in_transaction(self._db, move)

    def backlog(self) -> tuple[int, float]:
        """(rows, age of the oldest in seconds)."""
        oldest = self._rows.find_one({}, {"created_at": 1}, sort=[("created_at", ASCENDING)])
        age = (datetime.now(UTC) - oldest["created_at"]).total_seconds() if oldest else 0.0
        return self._rows.count_documents({}), max(0.0, age)


class MongoWorkerStates:
    """Worker states in collection `worker_states`, one document a process."""

    def __init__(self, db: Db) -> None:
        self._states = db["worker_states"]

    def write(self, worker: str, state: Mapping[str, Any]) -> None:
        """Replace this worker's state; drop those of workers gone for an hour."""
        self._states.replace_one({"_id": worker}, dict(state), upsert=True)
        self._states.delete_many({"beat": {"$lt": time.time() - STATE_SECONDS}})

    def read(self) -> Sequence[Mapping[str, Any]]:
        """All states."""
        return list(self._states.find({}, {"_id": 0}))


class MongoRevocations:
    """The revocations of the last hour in collection `revocations`: what `messaging.revocations` reads."""

    def __init__(self, db: Db) -> None:
        self._rows = db["revocations"]

    def ensure_indexes(self) -> None:
        """One index finds the new rows, and forgets the old ones."""
        self._rows.create_index([("stored_at", ASCENDING)], expireAfterSeconds=int(KEPT_SECONDS))

    def add(self, one: Revocation, session: ClientSession | None = None) -> None:
        """Store a revocation; again is no harm."""
        row = asdict(one) | {"stored_at": datetime.now(UTC)}
        key = {"_id": f"{one.user_id} {one.sid or ''} {one.not_before}"}
        self._rows.update_one(key, {"$setOnInsert": row}, upsert=True, session=session)

    def since(self, moment: float) -> Iterator[Revocation]:
        """Those that were stored since `moment` (seconds since the epoch)."""
        for row in self._rows.find({"stored_at": {"$gte": datetime.fromtimestamp(moment, UTC)}}):
            yield Revocation(row["user_id"], row["sid"], row["not_before"])
