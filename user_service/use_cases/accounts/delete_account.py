"""Delete an account: its personal data is erased, its name and address are free again."""

from libs.access.caller import Caller
from libs.mongo_store.transactions import until_written
from libs.values.times import now
from user_service.domain.account_change import AccountChange, Action
from user_service.domain.user import User
from user_service.events.published import UserDeleted
from user_service.store import users
from user_service.store.limits.rate_limits import LoginLimits
from user_service.use_cases.manage_account import managed_account
from user_service.use_cases.reauthenticate import reauthenticate


@until_written
def delete_own_account(*, caller: Caller, password: str, limits: LoginLimits) -> User | None:
    """Delete the caller's account. Raises Invalid on `password`, TooManyAttempts, TooManyHashes, NotAuthenticated."""
    return _erase(reauthenticate(caller=caller, password=password, limits=limits))


@until_written
def delete_account(*, caller: Caller, user_id: str) -> User | None:
    """Delete an account, as an admin. Raises UnknownUser, NotAllowed, OwnAccount."""
    caller.require("admin")
    return _erase(managed_account(caller=caller, user_id=user_id), actor=caller.user_id)


def _erase(before: User, *, actor: str | None = None) -> User | None:
    at = now()
    after = before.erased(at=at)
    audit = AccountChange.between(before, after, action=Action.DELETED, actor=actor, at=at) if actor else None
    return users.update(before, after, UserDeleted.of(after), tokens="end", audit=audit)
