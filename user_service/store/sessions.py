"""Sessions in MongoDB. The stored field `number` is a session's rotation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from libs.mongo_store.inserts import insert
from libs.mongo_store.transactions import in_transaction
from libs.mongo_store.validation import validate_document
from user_service.domain.refresh_token import RefreshToken
from user_service.domain.session import Device, Session
from user_service.domain.user import User
from user_service.events.published import UserRevocations
from user_service.store import documents, user_events, users


def to_bson(session: Session) -> dict[str, Any]:
    """The document of a session."""
    return {
        "_id": session.id,
        "user_id": ObjectId(session.user_id),
        "number": session.rotation,
        "created_at": session.created_at,
        "refreshed_at": session.refreshed_at,
        "expires_at": session.expires_at,
        "address": session.device.address,
        "agent": session.device.agent,
    }


def from_bson(row: Mapping[str, Any]) -> Session:
    """The session of a document."""
    return Session(
        id=row["_id"],
        user_id=str(row["user_id"]),
        rotation=row["number"],
        device=Device(address=row["address"], agent=row["agent"]),
        created_at=row["created_at"],
        refreshed_at=row["refreshed_at"],
        expires_at=row["expires_at"],
    )


def find(sid: str, *, user_id: str) -> Session | None:
    """A session of this account."""
    row: Mapping[str, Any] | None = documents.sessions().find_one({"_id": sid, "user_id": ObjectId(user_id)})
    return from_bson(row) if row else None


def add(session: Session, *, before: User, after: User) -> User | None:
    """Write a new session, and the login to its account. None when the account is no longer `before`."""
    row = to_bson(session)
    validate_document(documents.Session, row)

    def write(transaction: ClientSession) -> User | None:
        user = users.record_login(before, after, transaction)
        if user:
            insert(documents.sessions(), [row], transaction)
        return user

    return in_transaction(documents.Session._get_db(), write)


def rotate(token: RefreshToken, *, at: datetime) -> Session | None:
    """The session after a use of its refresh token. None when the token is not the one that works, or the session is over."""
    row: Mapping[str, Any] | None = documents.sessions().find_one_and_update(
        {"_id": token.sid, "number": token.rotation, "expires_at": {"$gt": at}},
        {"$inc": {"number": 1}, "$set": {"refreshed_at": at}},
        return_document=ReturnDocument.AFTER,
    )
    return from_bson(row) if row else None


def end(sid: str) -> None:
    """End one session and its tokens. It has no effect on a session that has ended."""

    def write(transaction: ClientSession) -> None:
        ended = documents.sessions().find_one_and_delete({"_id": sid}, session=transaction)
        if ended:
            user_id = str(ended["user_id"])
            sequence = user_events.count_event(user_id, transaction)
            user_events.store_events([UserRevocations.of(user_id, sid)], user_id, transaction, first_sequence=sequence)

    in_transaction(documents.Session._get_db(), write)


def delete_oldest(user_id: str, *, keep: int) -> None:
    """Delete all sessions of an account but the newest `keep`. Their access tokens stay valid until they expire."""
    oldest = documents.sessions().find({"user_id": ObjectId(user_id)}, {"_id": 1}).sort("_id", -1).skip(keep)
    if ids := [row["_id"] for row in oldest]:
        documents.sessions().delete_many({"_id": {"$in": ids}})
