"""One change of an account: its fields, its sessions and its events, in one transaction.

Whoever changes an account writes to its document first and to its sessions next; whoever makes tokens writes to one of the two.
So they never overlap (MongoDB tries the later one again), and a `not_before` that is read after both writes is later than the
`iat` of every token made from the account as it was: docs/adr/0020.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, cast

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from libs.messaging.envelope import EventData
from libs.mongo_store.transactions import in_transaction
from libs.values.times import now, now_ms
from user_service.domain.errors import EmailTaken, UnknownUser, UsernameTaken
from user_service.events.published import UserRevocations
from user_service.store.documents import User, sessions, users
from user_service.store.outbox import store_events

RawUser = dict[str, Any]
MakeEvent = Callable[[Mapping[str, Any]], EventData]
Sessions = Literal["keep", "renew", "end"]
"""What becomes of the account's sessions: nothing; their access tokens end, and the next refresh brings new ones; all end."""


def change_user(
    which: RawUser,
    changes: RawUser,
    *events: MakeEvent,
    tokens: Sessions = "keep",
    missing: Exception | type[Exception] = UnknownUser,
    forget: Mapping[str, str] | None = None,
    also: Callable[[RawUser, ClientSession], None] = lambda user, session: None,
) -> RawUser:
    """Apply `changes`, raise the event counter in the same statement, store the events: one transaction.

    `also` does more in it. Raises `missing` when there is no such account, UsernameTaken, EmailTaken.
    """
    makers: list[MakeEvent] = [*events, partial(_ended, sid=None)] if tokens != "keep" else [*events]
    update: RawUser = {"$set": {"updated_at": now(), **changes}, "$inc": {"sequence": len(makers)}}
    update |= {"$unset": forget} if forget else {}

    def work(session: ClientSession) -> RawUser:
        user = users().find_one_and_update(
            {"deleted_at": None, **which}, update, return_document=ReturnDocument.AFTER, session=session
        )
        if user is None:
            raise missing
        if tokens == "end":
            sessions().delete_many({"user_id": user["_id"]}, session=session)
        elif tokens == "renew":
            sessions().update_many({"user_id": user["_id"]}, {"$set": {"renewed_at": now()}}, session=session)
        also(user, session)
        store_events([make(user) for make in makers], user, session)
        return cast(RawUser, user)

    return cast(RawUser, transact(work))


def _ended(user: Mapping[str, Any], sid: str | None) -> UserRevocations:
    return UserRevocations(user_id=str(user["_id"]), sid=sid, not_before=now_ms() + 1)


def transact(work: Callable[[ClientSession], Any]) -> Any:
    """Run `work` in a transaction. Raises UsernameTaken, EmailTaken."""
    try:
        return in_transaction(User._get_db(), work)
    except DuplicateKeyError as error:
        key = (error.details or {}).get("keyPattern", {})
        raise (EmailTaken if "email_key" in key else UsernameTaken) from None


def object_id(user_id: str) -> ObjectId:
    """The id as MongoDB holds it. Raises UnknownUser for what is none."""
    if not ObjectId.is_valid(user_id):
        raise UnknownUser
    return ObjectId(user_id)
