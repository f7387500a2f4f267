"""Sessions in MongoDB. The stored field `number` is a session's rotation, and `used` has the last uses of its tokens."""

from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from libs.mongo_store.connection import Bson
from libs.mongo_store.inserts import insert
from libs.mongo_store.transactions import in_transaction
from libs.mongo_store.validation import validate_document
from user_service.domain.refresh_token import RefreshToken
from user_service.domain.session import MAX_USES, Device, Session, TokenUse
from user_service.domain.user import User
from user_service.events.published import UserRevocations
from user_service.store import documents, user_events, users
from user_service.store.clock import now


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


def from_bson(row: Bson) -> Session:
    """The session of a document."""
    return Session(
        id=row["_id"],
        user_id=str(row["user_id"]),
        rotation=row["number"],
        device=Device(address=row["address"], agent=row["agent"]),
        created_at=row["created_at"],
        refreshed_at=row["refreshed_at"],
        expires_at=row["expires_at"],
        uses=tuple(TokenUse(rotation=use["number"], at=use["at"]) for use in row.get("used", ())),
    )


def find_live(sid: str, *, at: datetime) -> Session | None:
    """A session that has not ended."""
    row: Bson | None = documents.sessions().find_one({"_id": sid, "expires_at": {"$gt": at}})
    return from_bson(row) if row else None


def find(sid: str, *, user_id: str) -> Session | None:
    """A session of this account."""
    row: Bson | None = documents.sessions().find_one({"_id": sid, "user_id": ObjectId(user_id)})
    return from_bson(row) if row else None


def add(session: Session, *, before: User, after: User, issued_at: int) -> User | None:
    """Write a new session, and the login to its account. None when the account is no longer `before`.

    `issued_at`: of its access token, in ms since the epoch.
    """
    row = {**to_bson(session), "issued_at": issued_at}
    validate_document(documents.Session, row)

    def write(transaction: ClientSession) -> User | None:
        user = users.record_login(before, after, transaction)
        if user:
            insert(documents.sessions(), [row], transaction)
        return user

    return in_transaction(documents.Session._get_db(), write)


def rotate(token: RefreshToken, *, at: datetime, issued_at: int) -> Session | None:
    """The session after a use of its refresh token. None when the token is not the one that works, or the session is over.

    `issued_at`: of its next access token, in ms since the epoch.
    """
    row: Bson | None = documents.sessions().find_one_and_update(
        {"_id": token.sid, "number": token.rotation, "expires_at": {"$gt": at}},
        {
            "$inc": {"number": 1},
            "$set": {"refreshed_at": at},
            "$max": {"issued_at": issued_at},
            "$push": {"used": {"$each": [{"number": token.rotation, "at": at}], "$slice": -MAX_USES}},
        },
        return_document=ReturnDocument.AFTER,
    )
    return from_bson(row) if row else None


def note_issued(sid: str, issued_at: int) -> bool:
    """Note when an access token of a session was issued. False when the session has ended."""
    note = {"$max": {"issued_at": issued_at}}
    return bool(documents.sessions().update_one({"_id": sid}, note).matched_count)


def end(sid: str) -> None:
    """End one session and its tokens. It has no effect on a session that has ended."""

    def write(transaction: ClientSession) -> None:
        ended = documents.sessions().find_one_and_delete({"_id": sid}, session=transaction)
        if ended:
            user_id = str(ended["user_id"])
            sequence = user_events.count_event(user_id, transaction)
            revocation = UserRevocations.of(user_id, sid, at=now(), newest=ended.get("issued_at", 0))
            user_events.store_events([revocation], user_id, transaction, first_sequence=sequence)

    in_transaction(documents.Session._get_db(), write)


def delete_oldest(user_id: str, *, keep: int) -> None:
    """Delete all sessions of an account but the newest `keep`. Their access tokens stay valid until they expire."""
    oldest = documents.sessions().find({"user_id": ObjectId(user_id)}, {"_id": 1}).sort("_id", -1).skip(keep)
    if ids := [row["_id"] for row in oldest]:
        documents.sessions().delete_many({"_id": {"$in": ids}})
