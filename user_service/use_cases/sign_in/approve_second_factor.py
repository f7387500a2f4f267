"""Approve that one authenticator is added to an account with roles, where roles count only with an authenticator.

Without an approval, a stolen password of staff would be enough to add an authenticator and to use the roles.
"""

from libs.access.caller import Caller
from libs.mongo_store.transactions import until_written
from libs.values.email_address import EmailAddress
from user_service.domain.account_change import COMMAND, AccountChange, Action
from user_service.domain.errors import HasSecondFactor, UnknownUser
from user_service.domain.user import User
from user_service.store import users
from user_service.store.clock import now
from user_service.use_cases.manage_account import managed_account


@until_written
def approve_second_factor(*, caller: Caller, user_id: str) -> User | None:
    """Approve it as an admin. Raises UnknownUser, NotAllowed, OwnAccount, HasSecondFactor."""
    caller.require("admin")
    return _approve(managed_account(caller=caller, user_id=user_id), actor=caller.user_id)


@until_written
def approve_second_factor_of(*, email: str) -> User | None:
    """Approve it from the command line, for the account with this address. Raises UnknownUser, HasSecondFactor."""
    user = users.find_by_email(EmailAddress.of(email))
    if user is None:
        raise UnknownUser
    return _approve(user, actor=COMMAND)


def _approve(before: User, *, actor: str) -> User | None:
    if before.second_factor:
        raise HasSecondFactor
    at = now()
    after = before.with_approval(at=at)
    audit = AccountChange.between(before, after, action=Action.AUTHENTICATOR_APPROVED, actor=actor, at=at)
    return users.update(before, after, audit=audit)
