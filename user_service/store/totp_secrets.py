"""The stored secrets of authenticators, for the rotation of their encryption."""

from collections.abc import Iterator
from dataclasses import dataclass

from bson import ObjectId

from user_service.store import documents

FIELDS = ("totp_secret", "totp_offered")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecret:
    """A secret as it is stored, and the field that holds it."""

    user_id: str
    field: str
    secret: str


def find_all() -> Iterator[StoredSecret]:
    """All secrets, of confirmed authenticators and of those that are offered."""
    with_secret = {"$or": [{name: {"$gt": ""}} for name in FIELDS]}
    for row in documents.users().find(with_secret, dict.fromkeys(FIELDS, 1)):
        for name in FIELDS:
            if secret := row.get(name):
                yield StoredSecret(user_id=str(row["_id"]), field=name, secret=secret)


def replace_secret(stored: StoredSecret, secret: str) -> bool:
    """Store another text for the same secret. False when the account has another secret now, or none.

    A change of the account that has read the old text notices it and repeats.
    """
    guard = {"_id": ObjectId(stored.user_id), stored.field: stored.secret}
    replaced: bool = documents.users().update_one(guard, {"$set": {stored.field: secret}}).modified_count == 1
    return replaced
