"""The status of worker processes in MongoDB."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from libs.mongo_store.connection import Db

STATE_SECONDS = 3600


class MongoWorkerStatus:
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
