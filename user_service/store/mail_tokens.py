"""Mail tokens in MongoDB."""

from collections.abc import Collection
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from libs.mongo_store.connection import Bson
from libs.mongo_store.inserts import insert
from libs.mongo_store.transactions import in_transaction
from libs.mongo_store.validation import validate_document
from user_service.domain.errors import TokenInvalid
from user_service.domain.mail_token import MailToken, MailTokenKind, token_hash
from user_service.store import documents
from user_service.store.clock import now


def to_bson(token: MailToken) -> dict[str, Any]:
    """The document of a token."""
    return {
        "_id": token.hash,
        "kind": token.kind,
        "user_id": ObjectId(token.user_id),
        "email_key": token.email_key,
        "expires_at": token.expires_at,
        **({"reissue_of": token.reissue_of} if token.reissue_of else {}),
    }


def from_bson(row: Bson) -> MailToken:
    """The token of a document."""
    return MailToken(
        kind=row["kind"],
        user_id=str(row["user_id"]),
        email_key=row["email_key"],
        hash=row["_id"],
        expires_at=row["expires_at"],
        reissue_of=row.get("reissue_of"),
    )


def find(kind: MailTokenKind, text: str) -> MailToken:
    """The token with this text. Raises TokenInvalid for one that is unknown, used, expired or of another kind."""
    valid = {"_id": token_hash(text), "kind": kind, "expires_at": {"$gt": now()}}
    row: Bson | None = documents.mail_tokens().find_one(valid)
    if row is None:
        raise TokenInvalid
    return from_bson(row)


def has_valid(kind: MailTokenKind, user_id: str) -> bool:
    """True when the account has a token of this kind that works."""
    valid = {"user_id": ObjectId(user_id), "kind": kind, "expires_at": {"$gt": now()}}
    return documents.mail_tokens().find_one(valid, {"_id": 1}) is not None


def is_reissued(event_id: str) -> bool:
    """True when a token was issued in place of that of this event, and neither used nor expired since."""
    return documents.mail_tokens().find_one({"reissue_of": event_id}, {"_id": 1}) is not None


def add(token: MailToken, transaction: ClientSession) -> None:
    """Store a new token."""
    row = to_bson(token)
    validate_document(documents.MailToken, row)
    insert(documents.mail_tokens(), [row], transaction)


def use(token: MailToken, transaction: ClientSession) -> bool:
    """Delete the token, and all others of its kind and account. False when it was used before."""
    tokens = documents.mail_tokens()
    used: bool = tokens.delete_one({"_id": token.hash}, session=transaction).deleted_count == 1
    tokens.delete_many({"user_id": ObjectId(token.user_id), "kind": token.kind}, session=transaction)
    return used


def delete(user_id: str, kinds: Collection[MailTokenKind], transaction: ClientSession) -> None:
    """Delete the tokens of these kinds that an account has."""
    if kinds:
        tokens = {"user_id": ObjectId(user_id), "kind": {"$in": sorted(kinds)}}
        documents.mail_tokens().delete_many(tokens, session=transaction)


def store_dummy_tokens() -> None:
    """Store three tokens without an account, so that a reset for an unknown address takes as long as for a known one.

    For a known address the transaction writes three documents: the account, the token and the event. The address is not stored:
    it may be that of a deleted account.
    """

    at = now()

    def write(transaction: ClientSession) -> None:
        for _ in range(3):
            token, _text = MailToken.issue("reset", user_id=str(ObjectId()), email_key="unknown", at=at)
            add(token, transaction)

    in_transaction(documents.MailToken._get_db(), write)
