"""Accounts in MongoDB. An account is written together with its events, its mail tokens and the end of its tokens.

A change of an account writes the account's document, then the documents of its sessions. A login writes the first, a refresh
one of the others. So a change has a document in common with each login and each refresh, and MongoDB repeats the later of the two.
A change reads `not_before` after both writes: it is later than the `iat` of every token of the account as it was (docs/adr/0020).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal, TypeVar

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from libs.access.caller import Caller
from libs.messaging.envelope import EventData
from libs.mongo_store.ids import to_object_id
from libs.mongo_store.inserts import insert
from libs.mongo_store.transactions import in_transaction
from libs.mongo_store.validation import validate_document
from libs.values.email_address import EmailAddress
from libs.values.errors import DomainError, NotAuthenticated
from libs.values.times import now
from user_service.domain.account_change import AccountChange
from user_service.domain.errors import EmailTaken, LinkReissued, TokenInvalid, UnknownUser, UsernameTaken
from user_service.domain.mail_token import MailToken, ended_links
from user_service.domain.user import User, username_key
from user_service.events.published import UserRevocations
from user_service.store import account_changes, clock, documents, mail_tokens, user_events
from user_service.store.user_rows import difference, from_bson, guard_on, to_bson

TokenEffect = Literal["keep", "renew", "end"]
"""What a change does to the account's tokens. renew: access tokens end and sessions stay. end: sessions end too."""

LOGIN_FIELDS = ("active", "password_hash", "totp_secret", "totp_step", "recovery_hashes", "known_addresses")
"""A login is decided by them, or writes them."""

ERASED_FIELDS = {"logged_in_at": ""}  # personal data that User does not hold

CONFLICTS: Mapping[str, type[DomainError]] = {
    "email_key": EmailTaken,
    "username_key": UsernameTaken,
    "reissue_of": LinkReissued,
}
"""What a write is refused for by the unique index of each field. A duplicate in another index is a defect."""

T = TypeVar("T")


class _Overtaken(Exception):
    """The account is no longer as it was read."""


def new_id() -> str:
    """The id of a new account."""
    return str(ObjectId())


def find(user_id: str) -> User:
    """An account that is not deleted. Raises UnknownUser."""
    user = _find({"_id": key, "deleted_at": None}) if (key := to_object_id(user_id)) else None
    if user is None:
        raise UnknownUser
    return user


def find_active(user_id: str) -> User | None:
    """An account that is neither disabled nor deleted."""
    return _find({"_id": key, "active": True}) if (key := to_object_id(user_id)) else None


def find_any(user_id: str) -> User | None:
    """An account, also a disabled or a deleted one."""
    return _find({"_id": key}) if (key := to_object_id(user_id)) else None


def find_deleted(*, after: str | None, limit: int) -> list[User]:
    """Up to `limit` deleted accounts, by id; those that follow `after`."""
    which: dict[str, object] = {"deleted_at": {"$ne": None}}
    if after:
        which["_id"] = {"$gt": ObjectId(after)}
    return [from_bson(row) for row in documents.users().find(which).sort("_id", 1).limit(limit)]


def find_by_email(email: EmailAddress) -> User | None:
    """The account with this address, also a disabled one."""
    return _find({"email_key": email.key})


def refuse_taken(*, username: str, email: EmailAddress) -> None:
    """Raise UsernameTaken or EmailTaken when an account has the name or the address."""
    for name, key, error in (
        ("username_key", username_key(username), UsernameTaken),
        ("email_key", email.key, EmailTaken),
    ):
        if documents.users().find_one({name: key}, {"_id": 1}):
            raise error


def own_account(caller: Caller) -> User:
    """The caller's account. Raises NotAuthenticated when it is disabled or deleted."""
    user = find_active(caller.user_id)
    if user is None:
        raise NotAuthenticated
    return user


def find_recipient(token: MailToken) -> User:
    """The account that a mail token was issued for. Raises TokenInvalid when the token no longer matches it."""
    user = find_active(token.user_id)
    if user is None or not token.matches(user):
        raise TokenInvalid
    return user


def _find(condition: Mapping[str, object]) -> User | None:
    row = documents.users().find_one(condition)
    return from_bson(row) if row else None


def add(user: User, *events: EventData, issued: MailToken | None = None, audit: AccountChange | None = None) -> User:
    """Write a new account, its events and its first mail token, if any. `audit` reports who made it, if that was staff.

    Raises UsernameTaken, EmailTaken.
    """
    new = replace(user, version=len(events))
    row = to_bson(new)
    validate_document(documents.User, row)

    def write(transaction: ClientSession) -> User:
        insert(documents.users(), [row], transaction)
        if issued:
            mail_tokens.add(issued, transaction)
        if audit:
            account_changes.add(audit, transaction)
        user_events.store_events(events, new.id, transaction, first_sequence=1)
        return new

    return _transact(write)


def update(
    before: User,
    after: User,
    *events: EventData,
    tokens: TokenEffect = "keep",
    issued: MailToken | None = None,
    used: MailToken | None = None,
    audit: AccountChange | None = None,
) -> User | None:
    """Write what differs between `before` and `after`, and the events. None when the account is no longer `before`.

    The guard compares the counter and all fields. A login, a verified address and an offered authenticator raise no counter.
    `issued` is a new mail token. `used` is one that is used up. Links that the change ends are deleted with it.
    `audit` reports a change by staff.
    Raises UsernameTaken, EmailTaken.
    """
    count = len(events) + (tokens != "keep")
    new = replace(after, updated_at=now(), version=before.version + count)
    change = difference(before, replace(new, version=before.version)) | {"$inc": {"sequence": count}}
    if new.deleted_at:
        change["$unset"] = change.get("$unset", {}) | ERASED_FIELDS
    guard = guard_on(before, [name for name in documents.User._reverse_db_field_map if name != "logged_in_at"])

    def write(transaction: ClientSession) -> User:
        if not documents.users().update_one(guard, change, session=transaction).matched_count:
            raise _Overtaken
        newest = _end_tokens(new.id, tokens, transaction)
        if used and not mail_tokens.use(used, transaction):
            raise _Overtaken
        mail_tokens.delete(new.id, ended_links(before, new), transaction)
        if issued:
            mail_tokens.add(issued, transaction)
        if audit:
            account_changes.add(audit, transaction)
        if new.deleted_at:
            user_events.discard_personal(new.id, transaction)
        ended = [] if tokens == "keep" else [UserRevocations.of(new.id, at=clock.now(), newest=newest)]
        user_events.store_events([*events, *ended], new.id, transaction, first_sequence=before.version + 1)
        return new

    try:
        return _transact(write)
    except _Overtaken:
        return None


def record_login(before: User, after: User, transaction: ClientSession) -> User | None:
    """Write the time of a login, and what its code or its password's new hash changed. None when the account is no longer `before`.

    It counts no event, so its guard is the fields that the login was decided by.
    """
    change = difference(before, after)
    change["$set"] = {**change.get("$set", {}), "logged_in_at": now()}
    guard = guard_on(before, ["_id", *LOGIN_FIELDS])
    row = documents.users().find_one_and_update(
        guard, change, return_document=ReturnDocument.AFTER, session=transaction
    )
    return from_bson(row) if row else None


def _end_tokens(user_id: str, tokens: TokenEffect, transaction: ClientSession) -> int:
    """Write to the sessions, so that no refresh overlaps with the change of the account.

    Return when the newest of the tokens that end was issued, in ms since the epoch.
    """
    sessions, condition = documents.sessions(), {"user_id": ObjectId(user_id)}
    if tokens == "keep":
        return 0
    rows = sessions.find(condition, {"issued_at": 1}, session=transaction)
    newest = max((row.get("issued_at", 0) for row in rows), default=0)
    if tokens == "end":
        sessions.delete_many(condition, session=transaction)
    else:
        sessions.update_many(condition, {"$set": {"renewed_at": now()}}, session=transaction)
    return int(newest)


def _transact(work: Callable[[ClientSession], T]) -> T:
    try:
        return in_transaction(documents.User._get_db(), work)
    except DuplicateKeyError as error:
        key = (error.details or {}).get("keyPattern", {})
        for name, conflict in CONFLICTS.items():
            if name in key:
                raise conflict from None
        raise
