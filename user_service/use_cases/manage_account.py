"""What staff and admins do with the accounts of others: disable, enable, give roles."""

from collections.abc import Sequence
from dataclasses import replace

from libs.access.caller import Caller
from libs.messaging.envelope import EventData
from libs.mongo_store.transactions import until_written
from libs.values.email_address import EmailAddress
from libs.values.times import now
from user_service.domain.account_change import COMMAND, AccountChange, Action
from user_service.domain.errors import EmailNotVerified, OwnAccount, UnknownUser
from user_service.domain.passwords import refuse_guessable
from user_service.domain.user import User
from user_service.events.published import UserNoticeRequested, UserUpdated
from user_service.store import users
from user_service.store.password_hashes import hash_password


def managed_account(*, caller: Caller, user_id: str) -> User:
    """The account to be changed by this caller: staff for customers, an admin for accounts with roles.

    Raises NotAllowed, OwnAccount, UnknownUser.
    """
    caller.require("staff")
    if caller.user_id == user_id:
        raise OwnAccount
    user = users.find(user_id)
    if user.roles:
        caller.require("admin")
    return user


@until_written
def set_active(*, caller: Caller, user_id: str, active: bool) -> User | None:
    """Enable an account, or disable it and end its sessions. Raises UnknownUser, NotAllowed, OwnAccount."""
    before = managed_account(caller=caller, user_id=user_id)
    after = replace(before, active=True) if active else before.disabled()
    action = Action.ENABLED if active else Action.DISABLED
    audit = AccountChange.between(before, after, action=action, actor=caller.user_id, at=now())
    return users.update(before, after, UserUpdated.of(after), tokens="keep" if active else "end", audit=audit)


@until_written
def set_roles(*, caller: Caller, user_id: str, roles: Sequence[str]) -> User | None:
    """Give an account exactly these roles, as an admin. Raises UnknownUser, NotAllowed, OwnAccount."""
    caller.require("admin")
    before = managed_account(caller=caller, user_id=user_id)
    return _set_roles(before, before.with_roles(roles), actor=caller.user_id)


@until_written
def promote_user(*, email: str, roles: Sequence[str], password: str = "", shop_name: str = "") -> User | None:
    """Enable the account with this address and give it exactly these roles, from the command line. Raises UnknownUser.

    Its address counts as verified, because the operator names it. An account that was not verified before and has no role may be
    that of a stranger, who registered with the address of another person. It gets `password`, and its sessions end. Raises
    EmailNotVerified without one, Invalid on `password`, TooManyHashes.
    """
    before = users.find_by_email(EmailAddress.of(email))
    if before is None:
        raise UnknownUser
    after = replace(before.with_roles(roles), active=True, email_verified=True)
    if before.email_verified or before.roles:
        return _set_roles(before, after, actor=COMMAND)
    if not password:
        raise EmailNotVerified
    refuse_guessable(password, username=before.username, email=before.email, shop_name=shop_name)
    after = replace(after.without_second_factor(), password_hash=hash_password(password))
    notice = UserNoticeRequested.of(after, "password-changed", at=now())
    return _set_roles(before, after, notice, actor=COMMAND, tokens="end")


def _set_roles(
    before: User, after: User, *events: EventData, actor: str, tokens: users.TokenEffect = "renew"
) -> User | None:
    audit = AccountChange.between(before, after, action=Action.ROLES_CHANGED, actor=actor, at=now())
    return users.update(before, after, UserUpdated.of(after), *events, tokens=tokens, audit=audit)
