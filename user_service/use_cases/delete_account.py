"""Delete an account: its personal data is erased, its name and address are free again."""

from libs.access.caller import Caller
from libs.mongo_store.transactions import until_written
from libs.values.times import now
from user_service.domain.user import User
from user_service.events.published import UserDeleted
from user_service.store import users
from user_service.use_cases.manage_account import managed_account


@until_written
def delete_own_account(*, caller: Caller) -> User | None:
    """Delete the caller's account. Raises NotAuthenticated when it is disabled or deleted."""
    return _erase(users.own_account(caller))


@until_written
def delete_account(*, caller: Caller, user_id: str) -> User | None:
    """Delete an account, as an admin. Raises UnknownUser, NotAllowed, OwnAccount."""
    caller.require("admin")
    return _erase(managed_account(caller=caller, user_id=user_id))


def _erase(before: User) -> User | None:
    after = before.erased(at=now())
    return users.update(before, after, UserDeleted.of(after), tokens="end")
