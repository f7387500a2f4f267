"""Tokens that go out by mail: to verify an address, to reset a password. 256 random bits, kept as a hash, good for one use."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Literal

from bson import ObjectId
from pymongo.client_session import ClientSession

from libs.values.times import now, rfc3339
from user_service.domain.errors import TokenInvalid, UnknownUser
from user_service.domain.user import fold
from user_service.events.published import UserMailRequested
from user_service.store.documents import mail_tokens
from user_service.store.password_hashes import hash_password
from user_service.store.users import RawUser, Sessions, change_user, transact

Kind = Literal["reset", "verify"]
LIVES: Mapping[Kind, timedelta] = {"reset": timedelta(hours=1), "verify": timedelta(days=1)}


class NewToken:
    """A token that is about to be mailed: its event, and its hash, which `store` keeps in the same transaction."""

    def __init__(self, kind: Kind) -> None:
        self._kind, self._text, self._expires_at = kind, secrets.token_urlsafe(32), now() + LIVES[kind]

    def event(self, user: Mapping[str, Any]) -> UserMailRequested:
        """What notification_service makes the mail of."""
        return UserMailRequested(
            kind=self._kind,
            user_id=str(user["_id"]),
            email=user["email"],
            username=user["username"],
            token=self._text,
            expires_at=rfc3339(self._expires_at),
        )

    def store(self, user: Mapping[str, Any], session: ClientSession) -> None:
        """Keep the hash."""
        row = {"_id": _hash(self._text), "kind": self._kind, "user_id": user["_id"], "email_key": user["email_key"]}
        mail_tokens().insert_one(row | {"expires_at": self._expires_at}, session=session)


def request_reset(*, email: str) -> None:
    """Have a token mailed, if there is such an account; who asks learns nothing, by the answer or by its time."""
    token = NewToken("reset")
    which = {"email_key": fold(email), "active": True}
    try:
        change_user(which, {}, token.event, also=token.store)
    except UnknownUser:
        transact(partial(_write_as_much, email))


def _write_as_much(email: str, session: ClientSession) -> None:
    """For nobody: two rows, as for somebody a token and an event; a commit takes longer than all reads."""
    nobody = {"_id": ObjectId(), "email_key": fold(email)}
    for _ in range(2):
        NewToken("reset").store(nobody, session)


def reset_password(*, token: str, password: str) -> None:
    """Set a new password, and end all sessions. Raises TokenInvalid."""
    row = _find("reset", token)
    changes = {"password_hash": hash_password(password), "email_verified": True}  # the mail was read
    _use(row, changes, tokens="end")


def verify_email(*, token: str) -> None:
    """The address is the account's. Raises TokenInvalid."""
    _use(_find("verify", token), {"email_verified": True})


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _find(kind: Kind, token: str) -> RawUser:
    row: RawUser | None = mail_tokens().find_one({"_id": _hash(token), "kind": kind, "expires_at": {"$gt": now()}})
    if not row:
        raise TokenInvalid
    return row


def _use(row: RawUser, changes: RawUser, tokens: Sessions = "keep") -> None:
    """Apply `changes` with the token `row`, which is gone then, and with it all others of its kind. Raises TokenInvalid."""

    def consume(_user: RawUser, session: ClientSession) -> None:
        if not mail_tokens().find_one_and_delete({"_id": row["_id"]}, session=session):
            raise TokenInvalid
        mail_tokens().delete_many({"user_id": row["user_id"], "kind": row["kind"]}, session=session)

    which = {"_id": row["user_id"], "email_key": row["email_key"], "active": True}
    change_user(which, changes, tokens=tokens, missing=TokenInvalid, also=consume)
