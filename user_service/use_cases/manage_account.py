"""What staff and admins do with the accounts of others: disable, enable, give roles."""

from collections.abc import Sequence
from dataclasses import replace

from libs.access.caller import Caller
from libs.mongo_store.transactions import until_written
from libs.values.email_address import EmailAddress
from libs.values.times import now
from user_service.domain.account_change import COMMAND, AccountChange, Action
from user_service.domain.errors import OwnAccount, UnknownUser
from user_service.domain.user import User
from user_service.events.published import UserUpdated
from user_service.store import users


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
def promote_user(*, email: str, roles: Sequence[str]) -> User | None:
    """Enable the account with this address and give it exactly these roles, from the command line. Raises UnknownUser.

    Its address counts as verified, because the operator names it.
    """
    before = users.find_by_email(EmailAddress.of(email))
    if before is None:
        raise UnknownUser
    after = replace(before.with_roles(roles), active=True, email_verified=True)
    return _set_roles(before, after, actor=COMMAND)


def _set_roles(before: User, after: User, *, actor: str) -> User | None:
    audit = AccountChange.between(before, after, action=Action.ROLES_CHANGED, actor=actor, at=now())
    return users.update(before, after, UserUpdated.of(after), tokens="renew", audit=audit)
