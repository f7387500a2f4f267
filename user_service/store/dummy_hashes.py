"""The hashes that the passwords for unknown addresses are compared with.

An old hash takes longer to verify than a new one (password_hashes.py). So an unknown address must take as long as a known one: some
like an old hash, the others like a new one.
"""

import hmac
import time
from collections.abc import Callable
from functools import cache

from nacl.pwhash import argon2id
from pydantic import SecretStr

from user_service.store import documents
from user_service.store.password_hashes import PARAMETERS, dummy_hash, turn

OLD_PASSES, OLD_MEMORY_BYTES = 2, 19 * 2**20
COUNT_SECONDS = 3600.0  # between two counts of the old hashes
SAMPLE = 1000  # accounts


class DummyHashes:
    """The dummy of each address: an old one for as large a share of addresses as there are accounts with old hashes.

    An address always has the same one, in each process. Only the key shows which. So the time of a refusal shows
    neither that there is an account nor that there is none.
    """

    def __init__(self, key: SecretStr, share_of_old: Callable[[], float]) -> None:
        """`share_of_old` returns which part of the accounts has an old hash, from 0 to 1. It is called once an hour."""
        self._key, self._share_of_old = key.get_secret_value().encode(), share_of_old
        self._share, self._counted_at = 0.0, float("-inf")

    def of(self, email_key: str) -> str:
        """The dummy for an address. Call it for each address, known or not: once an hour it counts first."""
        if time.monotonic() - self._counted_at >= COUNT_SECONDS:
            self._share, self._counted_at = self._share_of_old(), time.monotonic()
        digest = hmac.digest(self._key, b"dummy hash\0" + email_key.encode(), "sha256")
        is_old = int.from_bytes(digest[:8], "big") < self._share * 2**64
        return old_dummy_hash() if is_old else dummy_hash()


@cache
def old_dummy_hash() -> str:
    """A hash with the parameters of the old ones."""
    with turn():
        return argon2id.str(b"no account", opslimit=OLD_PASSES, memlimit=OLD_MEMORY_BYTES).decode()


def share_of_old_hashes() -> float:
    """Which part of the accounts, from 0 to 1, has a hash with other parameters than the present ones.

    It is estimated from SAMPLE accounts, so it takes as long with a million.
    """
    is_new = {"$eq": [{"$indexOfBytes": ["$password_hash", {"$literal": PARAMETERS}]}, 0]}
    found = documents.users().aggregate(
        [
            {"$sample": {"size": SAMPLE}},
            {"$match": {"password_hash": {"$type": "string"}}},
            {"$group": {"_id": None, "share": {"$avg": {"$cond": [is_new, 0, 1]}}}},
        ]
    )
    return next((float(row["share"]) for row in found), 0.0)
