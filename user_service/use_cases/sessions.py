"""Sessions: from a login to the logout. Each login begins one, and each refresh brings its next pair of tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from ulid import ULID

from libs.access.caller import Caller
from libs.runtime.logs import get_logger
from libs.values.times import now, now_ms
from user_service.domain.errors import CodeRequired, SessionEnded, UnknownSession, WrongCredentials
from user_service.domain.user import fold
from user_service.store.documents import sessions, users
from user_service.store.password_hashes import hash_password, needs_rehash, verify_password
from user_service.store.rate_limits import Attempts
from user_service.store.sessions import end_session
from user_service.store.users import RawUser, change_user, transact
from user_service.use_cases.accounts import own_account
from user_service.use_cases.second_factor import use_code

log = get_logger(__name__)

MOST = 100  # sessions an account; the oldest goes first


@dataclass(frozen=True)
class Grant:
    """What a pair of tokens is made of. `issued_at` (ms) is when the account was looked at."""

    user: Mapping[str, Any]
    sid: str
    number: int
    issued_at: int


@dataclass(frozen=True)
class Visitor:
    """From where a session was begun, for its owner to recognise."""

    address: str
    agent: str


@dataclass(frozen=True)
class Tries:
    """The limits of a login: of passwords for an account from an address, and of codes for an account from everywhere."""

    password: Attempts
    code: Attempts


def log_in(
    *, email: str, password: str, code: str | None, visitor: Visitor, tries: Tries, lifetime_seconds: int
) -> Grant:
    """Begin a session. Raises WrongCredentials, alike for unknown, disabled and wrong; CodeRequired once the password was
    right; TooManyAttempts; TooManyHashes."""
    tries.password.check()
    issued_at = now_ms()
    user: RawUser | None = users().find_one({"email_key": fold(email)})
    right = verify_password(password, user["password_hash"] if user else None, tries.password)
    if not user or not right or not user["active"]:
        _refused("password" if not right else "disabled", user)
        raise WrongCredentials
    which = {"_id": user["_id"], "password_hash": user["password_hash"], "active": True}
    update: RawUser = {"$set": {"logged_in_at": now()}}
    if user.get("totp_secret"):
        condition, used = _second_factor(user, code, tries)
        which |= condition
        update = {**update, **used, "$set": update["$set"] | used.get("$set", {})}
    else:
        which["totp_secret"] = None
    if needs_rehash(user["password_hash"]):
        update["$set"]["password_hash"] = hash_password(password)
    session = _new_session(user, visitor, lifetime_seconds)

    def begin(transaction: ClientSession) -> RawUser:
        known = users().find_one_and_update(which, update, return_document=ReturnDocument.AFTER, session=transaction)
        if not known:
            raise WrongCredentials
        sessions().insert_one(session, session=transaction)
        return dict(known)

    known = transact(begin)
    _end_the_oldest(user)
    log.info("logged in", user=str(user["_id"]), sid=session["_id"])
    return Grant(known, session["_id"], session["number"], issued_at)


def _refused(reason: str, user: RawUser | None) -> None:
    """A line for whoever watches for guessing; the names that were tried are nobody's business."""
    log.warning("login refused", reason=reason, user=str(user["_id"]) if user else None)


def _second_factor(user: RawUser, code: str | None, tries: Tries) -> tuple[RawUser, RawUser]:
    if not code:
        raise CodeRequired
    tries.code.count()
    update = use_code(user, code)
    if not update:
        _refused("code", user)
        raise WrongCredentials
    tries.code.forget()
    return update


def _new_session(user: RawUser, visitor: Visitor, lifetime_seconds: int) -> RawUser:
    moment = now()
    times = {"created_at": moment, "refreshed_at": moment, "expires_at": moment + timedelta(seconds=lifetime_seconds)}
    seen = {"address": visitor.address, "agent": visitor.agent}
    return {"_id": str(ULID()), "user_id": user["_id"], "number": 1, **times, **seen}


def _end_the_oldest(user: RawUser) -> None:
    too_many = sessions().find({"user_id": user["_id"]}, {"_id": 1}).sort("_id", -1).skip(MOST)
    if ids := [row["_id"] for row in too_many]:
        sessions().delete_many({"_id": {"$in": ids}})


def refresh(*, sid: str, number: int) -> Grant:
    """The session goes on with the next number. Raises SessionEnded; for a number that was used before, the session ends:
    somebody has a copy of its tokens."""
    issued_at = now_ms()
    row = sessions().find_one_and_update(
        {"_id": sid, "number": number, "expires_at": {"$gt": now()}},
        {"$inc": {"number": 1}, "$set": {"refreshed_at": now()}},
        return_document=ReturnDocument.AFTER,
    )
    if not row:
        log.warning("a refresh token came again, or after its session", sid=sid)
        end_session(sid)
        raise SessionEnded
    user = users().find_one({"_id": row["user_id"], "active": True})
    if not user:
        raise SessionEnded
    return Grant(user, sid, row["number"], issued_at)


def end_own_session(*, caller: Caller, sid: str) -> None:
    """End one of the caller's sessions. Raises UnknownSession."""
    me = own_account(caller=caller)
    if not sessions().find_one({"_id": sid, "user_id": me["_id"]}, {"_id": 1}):
        raise UnknownSession
    end_session(sid)


def end_own_sessions(*, caller: Caller) -> None:
    """Log out everywhere."""
    me = own_account(caller=caller)
    change_user({"_id": me["_id"]}, {}, tokens="end")
