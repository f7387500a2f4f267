"""What happens to accounts. Every change and its event are one transaction; no request talks to Kafka."""

from collections.abc import Sequence

from bson import ObjectId
from pymongo.client_session import ClientSession

from libs.access.caller import Caller
from libs.values.errors import Invalid, NotAuthenticated
from libs.values.times import now
from user_service.domain.errors import OwnAccount, UnknownUser
from user_service.domain.user import fold
from user_service.events.published import UserDeleted, UserRegistered, UserUpdated
from user_service.store.documents import User, mail_tokens, users
from user_service.store.outbox import store_events
from user_service.store.password_hashes import hash_password, verify_password
from user_service.store.rate_limits import Attempts
from user_service.store.users import RawUser, Sessions, change_user, object_id, transact
from user_service.use_cases.mail_links import NewToken

SECOND_FACTOR = ("totp_secret", "totp_offered", "totp_step", "recovery_hashes")
FORGOTTEN = ("username_key", "email_key", "password_hash", "logged_in_at", *SECOND_FACTOR)


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
        sequence=2,
    ).to_mongo()
    token = NewToken("verify")

    def work(session: ClientSession) -> None:
        users().insert_one(user, session=session)
        token.store(user, session)
        store_events([UserRegistered.of(user), token.event(user)], user, session)

    transact(work)
    return str(user["_id"])


def update_own_account(*, caller: Caller, username: str | None = None, email: str | None = None) -> RawUser:
    """Change name or address; a new address is asked to verify itself. Raises UsernameTaken, EmailTaken, NotAuthenticated when
    the account is gone."""
    me = own_account(caller=caller)
    changes: RawUser = {}
    if username is not None:
        changes |= {"username": username, "username_key": fold(username)}
    if email is None or fold(email) == me["email_key"]:
        return change_user(_still(me), changes, UserUpdated.of, missing=NotAuthenticated) if changes else me
    changes |= {"email": email, "email_key": fold(email), "email_verified": False}
    token = NewToken("verify")
    return change_user(_still(me), changes, UserUpdated.of, token.event, missing=NotAuthenticated, also=token.store)


def _still(user: RawUser) -> RawUser:
    return {"_id": user["_id"], "active": True}


def own_account(*, caller: Caller) -> RawUser:
    """The caller's account. Raises NotAuthenticated when it is gone or disabled."""
    user: RawUser | None = users().find_one({"_id": object_id(caller.user_id), "active": True})
    if not user:
        raise NotAuthenticated
    return user


def change_password(*, caller: Caller, current: str, new: str, attempts: Attempts) -> None:
    """Set a new password, and end all sessions. Raises Invalid on field `current` when that one is wrong, TooManyAttempts."""
    user = own_account(caller=caller)
    attempts.check()
    if not verify_password(current, user["password_hash"], attempts):
        raise Invalid.field("current", "wrong-password", "This is not your password")
    changed = Invalid.field("current", "wrong-password", "The password was changed meanwhile")
    unchanged = _still(user) | {"password_hash": user["password_hash"]}
    change_user(unchanged, {"password_hash": hash_password(new)}, tokens="end", missing=changed)


def set_active(*, caller: Caller, user_id: str, active: bool) -> RawUser:
    """Disable or enable an account; one with roles only by an admin. Raises UnknownUser, NotAllowed, OwnAccount."""
    require_power_over(caller, user_id)
    tokens: Sessions = "keep" if active else "end"
    return change_user({"_id": object_id(user_id)}, {"active": active}, UserUpdated.of, tokens=tokens)


def set_roles(*, caller: Caller, user_id: str, roles: Sequence[str]) -> RawUser:
    """Give an account exactly these roles, by an admin. Raises UnknownUser, NotAllowed, OwnAccount."""
    caller.require("admin")
    require_power_over(caller, user_id)
    return change_user({"_id": object_id(user_id)}, {"roles": list(roles)}, UserUpdated.of, tokens="renew")


def promote_user(*, email: str, roles: Sequence[str]) -> bool:
    """Give the account with this e-mail these roles and enable it; False when there is none. For the command line."""
    changes = {"roles": list(roles), "active": True}
    try:
        change_user({"email_key": fold(email)}, changes, UserUpdated.of, tokens="renew")
    except UnknownUser:
        return False
    return True


def delete_own_account(*, caller: Caller) -> None:
    """Anonymise the caller's account. Raises NotAuthenticated when it is gone."""
    _anonymise(own_account(caller=caller)["_id"])


def delete_user(*, caller: Caller, user_id: str) -> None:
    """Anonymise an account, by an admin. Raises UnknownUser, NotAllowed, OwnAccount."""
    caller.require("admin")
    require_power_over(caller, user_id)
    _anonymise(object_id(user_id))


def _anonymise(user_id: ObjectId) -> None:
    moment = now()
    nobody: RawUser = {"username": f"gone-{user_id}", "email": None, "roles": [], "active": False}
    nobody |= {"email_verified": False, "deleted_at": moment, "updated_at": moment}

    def forget_mails(user: RawUser, session: ClientSession) -> None:
        mail_tokens().delete_many({"user_id": user["_id"]}, session=session)

    forgotten = dict.fromkeys(FORGOTTEN, "")
    change_user({"_id": user_id}, nobody, UserDeleted.of, tokens="end", forget=forgotten, also=forget_mails)


def require_power_over(caller: Caller, user_id: str) -> None:
    """Raise NotAllowed unless the caller may change this account, OwnAccount, UnknownUser."""
    caller.require("staff")
    if caller.user_id == user_id:
        raise OwnAccount
    user = users().find_one({"_id": object_id(user_id), "deleted_at": None}, {"roles": 1})
    if not user:
        raise UnknownUser
    if user["roles"]:
        caller.require("admin")
