"""Which exports run: one of an account in all processes, by a lease in MongoDB, and a few in this process."""

import threading
from datetime import timedelta
from typing import Self

from bson import ObjectId
from pymongo.errors import DuplicateKeyError
from ulid import ULID

from user_service.domain.errors import ExportInFlight, ExportInterrupted, TooManyExports
from user_service.store import documents
from user_service.store.clock import now

MAX_CONCURRENT = 2  # in this process: each occupies a thread, and holds one page of orders
LEASE = timedelta(seconds=30)  # renewed with each page of orders, which arrives within 4 s

_process_slots = threading.BoundedSemaphore(MAX_CONCURRENT)


class ExportSlot:
    """The right to run one export of one account."""

    def __init__(self, user_id: str) -> None:
        self._key, self._owner, self._is_held = ObjectId(user_id), str(ULID()), True

    @classmethod
    def take(cls, user_id: str) -> Self:
        """A slot for this account. Raises TooManyExports, ExportInFlight.

        The account's own lease comes first, so the repeats of one account take no slot from other accounts.
        """
        slot = cls(user_id)
        try:
            slot._lease({"expires_at": {"$lt": now()}}, upsert=True)
        except DuplicateKeyError:
            raise ExportInFlight from None
        if not _process_slots.acquire(blocking=False):
            slot._end_lease()
            raise TooManyExports
        return slot

    def renew(self) -> None:
        """Hold the slot for another LEASE. Raises ExportInterrupted when it expired and another export has it."""
        if not self._lease({"owner": self._owner}, upsert=False):
            raise ExportInterrupted

    def release(self) -> None:
        """Give the slot back. A second call has no effect."""
        if self._is_held:
            self._is_held = False
            _process_slots.release()
            self._end_lease()

    def _end_lease(self) -> None:
        documents.export_leases().delete_one({"_id": self._key, "owner": self._owner})

    def _lease(self, condition: dict[str, object], *, upsert: bool) -> bool:
        held = {"owner": self._owner, "expires_at": now() + LEASE}
        result = documents.export_leases().update_one({"_id": self._key, **condition}, {"$set": held}, upsert=upsert)
        return bool(result.matched_count)
