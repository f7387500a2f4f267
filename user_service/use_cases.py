"""What happens to accounts. Every change and its event are one transaction; no request talks to Kafka."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from chassis.auth import Caller
from chassis.errors import Invalid, NotAuthenticated
from messaging.envelope import EventData
from messaging.mongo import in_transaction
from user_service.errors import EmailTaken, OwnAccount, UnknownUser, UsernameTaken, WrongCredentials
from user_service.events import UserDeleted, UserRegistered, UserUpdated
from user_service.models import User, fold, now, users
from user_service.outbox import store_event
from user_service.passwords import hash_password, verify_password

RawUser = dict[str, Any]


def register_user(*, username: str, email: str, password: str, roles: Sequence[str] = ()) -> str:
    """Make an account; return its id. Raises UsernameTaken, EmailTaken."""
    user = User(
        id=ObjectId(),
        username=username,
        username_key=fold(username),
        email=email,
        email_key=fold(email),
        password_hash=hash_password(password),
        roles=list(roles),
    ).to_mongo()

    def work(session: ClientSession) -> None:
        users().insert_one(user, session=session)
        store_event(UserRegistered.of(user), user, session)

    _run(work)
    return str(user["_id"])


def authenticate_user(*, email: str, password: str) -> RawUser:
    """The active account with this e-mail and password. Raises WrongCredentials, alike for unknown, disabled and wrong."""
    user: RawUser | None = users().find_one({"email_key": fold(email)})
    known = verify_password(password, user["password_hash"] if user else None)
    if not user or not known or not user["active"]:
        raise WrongCredentials
    return user


def update_own_account(*, caller: Caller, username: str | None = None, email: str | None = None) -> RawUser:
    """Change name or address. Raises UsernameTaken, EmailTaken, NotAuthenticated when the account is gone."""
    changes: RawUser = {}
    if username is not None:
        changes |= {"username": username, "username_key": fold(username)}
    if email is not None and fold(email) != fold(own_account(caller=caller)["email"]):
        changes |= {"email": email, "email_key": fold(email), "email_verified": False}
    if not changes:
        return own_account(caller=caller)
    return _change({"_id": _object_id(caller.user_id), "active": True}, changes, UserUpdated.of, NotAuthenticated)


def own_account(*, caller: Caller) -> RawUser:
    """The caller's account. Raises NotAuthenticated when it is gone or disabled."""
    user: RawUser | None = users().find_one({"_id": _object_id(caller.user_id), "active": True})
    if not user:
        raise NotAuthenticated
    return user


def change_password(*, caller: Caller, current: str, new: str) -> None:
    """Set a new password. Raises Invalid on field `current` when that one is wrong."""
    user = own_account(caller=caller)
    if not verify_password(current, user["password_hash"]):
        raise Invalid.field("current", "wrong-password", "This is not your password")
    unchanged = {"_id": user["_id"], "password_hash": user["password_hash"]}
    changes = {"password_hash": hash_password(new), "updated_at": now()}
    if not users().update_one(unchanged, {"$set": changes}).matched_count:
        raise Invalid.field("current", "wrong-password", "The password was changed meanwhile")


def set_active(*, caller: Caller, user_id: str, active: bool) -> RawUser:
    """Disable or enable an account; one with roles only by an admin. Raises UnknownUser, NotAllowed, OwnAccount."""
    _require_power_over(caller, user_id)
    return _change({"_id": _object_id(user_id)}, {"active": active}, UserUpdated.of)


def set_roles(*, caller: Caller, user_id: str, roles: Sequence[str]) -> RawUser:
    """Give an account exactly these roles, by an admin. Raises UnknownUser, NotAllowed, OwnAccount."""
    caller.require("admin")
    _require_power_over(caller, user_id)
    return _change({"_id": _object_id(user_id)}, {"roles": list(roles)}, UserUpdated.of)


def promote_user(*, email: str, roles: Sequence[str]) -> bool:
    """Give the account with this e-mail these roles and enable it; False when there is none. For the command line."""
    try:
        _change({"email_key": fold(email)}, {"roles": list(roles), "active": True}, UserUpdated.of)
    except UnknownUser:
        return False
    return True


def delete_own_account(*, caller: Caller) -> None:
    """Anonymise the caller's account. Raises NotAuthenticated when it is gone."""
    _anonymise(own_account(caller=caller)["_id"])


def delete_user(*, caller: Caller, user_id: str) -> None:
    """Anonymise an account, by an admin. Raises UnknownUser, NotAllowed, OwnAccount."""
    caller.require("admin")
    _require_power_over(caller, user_id)
    _anonymise(_object_id(user_id))


def _anonymise(user_id: ObjectId) -> None:
    moment = now()
    nobody: RawUser = {"username": f"gone-{user_id}", "email": None, "roles": [], "active": False}
    nobody |= {"email_verified": False, "deleted_at": moment, "updated_at": moment}
    forgotten = {"username_key": "", "email_key": "", "password_hash": ""}
    _change({"_id": user_id}, nobody, UserDeleted.of, forget=forgotten)


def _require_power_over(caller: Caller, user_id: str) -> None:
    caller.require("staff")
    if caller.user_id == user_id:
        raise OwnAccount
    user = users().find_one({"_id": _object_id(user_id), "deleted_at": None}, {"roles": 1})
    if not user:
        raise UnknownUser
    if user["roles"]:
        caller.require("admin")


def _change(
    which: RawUser,
    changes: RawUser,
    event: Callable[[Mapping[str, Any]], EventData],
    missing: type[Exception] = UnknownUser,
    *,
    forget: Mapping[str, str] | None = None,
) -> RawUser:
    """Apply `changes`, raise the event counter in the same statement, store the event: one transaction."""
    update: RawUser = {"$set": {"updated_at": now(), **changes}, "$inc": {"sequence": 1}}
    update |= {"$unset": forget} if forget else {}

    def work(session: ClientSession) -> RawUser:
        user = users().find_one_and_update(
            {"deleted_at": None, **which}, update, return_document=ReturnDocument.AFTER, session=session
        )
        if user is None:
            raise missing
        store_event(event(user), user, session)
        return cast(RawUser, user)

    return cast(RawUser, _run(work))


def _run(work: Callable[[ClientSession], Any]) -> Any:
    try:
        return in_transaction(User._get_db(), work)
    except DuplicateKeyError as error:
        key = (error.details or {}).get("keyPattern", {})
        raise (EmailTaken if "email_key" in key else UsernameTaken) from None


def _object_id(user_id: str) -> ObjectId:
    if not ObjectId.is_valid(user_id):
        raise UnknownUser
    return ObjectId(user_id)
