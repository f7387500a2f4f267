"""The keys of stored e-mail addresses, when the rule for keys has changed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bson import ObjectId
from pymongo import UpdateMany, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError

from libs.mongo_store.transactions import in_transaction
from libs.values.email_address import email_key
from user_service.domain.errors import EmailTaken
from user_service.store import documents


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """An account whose key becomes another one."""

    user_id: str
    email: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision:
    """Accounts that would have the same key, as pairs of id and address."""

    key: str
    accounts: tuple[tuple[str, str], ...]


def find_changes() -> tuple[list[KeyChange], list[Collision]]:
    """The keys that change, and the addresses that more than one account would have."""
    accounts, changes = defaultdict[str, list[tuple[str, str]]](list), list[KeyChange]()
    for row in documents.users().find({"email": {"$gt": ""}}, {"email": 1, "email_key": 1}).sort("_id", 1):
        user_id, email, old = str(row["_id"]), row["email"], row.get("email_key", "")
        new = email_key(email)
        accounts[new].append((user_id, email))
        if new != old:
            changes.append(KeyChange(user_id=user_id, email=email, old=old, new=new))
    return changes, [Collision(key=key, accounts=tuple(found)) for key, found in accounts.items() if len(found) > 1]


def write_keys(changes: Sequence[KeyChange]) -> None:
    """Write the keys of accounts and of their mail links, in one transaction. Raises EmailTaken when an account has changed.

    The old keys are removed first, because one account's new key may be the old key of another one.
    """

    def write(transaction: ClientSession) -> None:
        users, tokens = documents.users(), documents.mail_tokens()
        as_read = [{"_id": ObjectId(c.user_id), "email": c.email, "email_key": c.old} for c in changes]
        removed = users.bulk_write(
            [UpdateOne(old, {"$unset": {"email_key": ""}}) for old in as_read], session=transaction
        )
        if removed.modified_count != len(changes):
            raise EmailTaken
        new = [UpdateOne({"_id": ObjectId(c.user_id)}, {"$set": {"email_key": c.new}}) for c in changes]
        users.bulk_write(new, session=transaction)
        links = [
            UpdateMany({"user_id": ObjectId(c.user_id), "email_key": c.old}, {"$set": {"email_key": c.new}})
            for c in changes
        ]
        tokens.bulk_write(links, session=transaction)

    if not changes:
        return
    try:
        in_transaction(documents.User._get_db(), write)
    except (DuplicateKeyError, BulkWriteError):
        raise EmailTaken from None
