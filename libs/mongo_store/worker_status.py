"""The status of worker processes in MongoDB."""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.mongo_store.connection import Db, database_time

RETENTION_SECONDS = 3600


class MongoWorkerStatus:
    """The status of each worker process, one document per process in collection `worker_states`."""

    def __init__(self, db: Db) -> None:
        self._db, self._states = db, db["worker_states"]

    def now(self) -> float:
        """The server's time, in seconds since the epoch."""
        return database_time(self._db).timestamp()

    def write(self, worker: str, state: Mapping[str, Any]) -> None:
        """Replace this worker's status. Delete those that were not written for an hour."""
        self._states.replace_one({"_id": worker}, dict(state), upsert=True)
        self._states.delete_many({"beat": {"$lt": state["beat"] - RETENTION_SECONDS}})

    def read(self) -> Sequence[Mapping[str, Any]]:
        """The status of each worker."""
        return list(self._states.find({}, {"_id": 0}))
