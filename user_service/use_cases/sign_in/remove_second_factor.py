"""Remove the authenticator of an account. All sessions end."""

from libs.access.caller import Caller
from libs.access.encryption import Encryption
from libs.mongo_store.transactions import until_written
from libs.values.errors import Invalid
from user_service.domain.account_change import AccountChange, Action
from user_service.domain.errors import NoSecondFactor
from user_service.domain.user import User
from user_service.events.published import UserNoticeRequested
from user_service.store import users
from user_service.store.clock import now
from user_service.store.limits.rate_limits import Attempt, LoginLimits
from user_service.use_cases.manage_account import managed_account
from user_service.use_cases.reauthenticate import reauthenticate
from user_service.use_cases.sign_in.accept_code import accept_code


def remove_own_second_factor(
    *, caller: Caller, password: str, code: str, limits: LoginLimits, encryption: Encryption
) -> User:
    """Remove the caller's authenticator by an unused code.

    Raises Invalid on `password` or `code`, NoSecondFactor, TooManyAttempts, TooManyHashes, NotAuthenticated.
    """
    attempt = Attempt()
    user = _remove_own(caller, password, code, limits, attempt, encryption=encryption)
    attempt.succeed()
    return user


@until_written
def _remove_own(
    caller: Caller, password: str, code: str, limits: LoginLimits, attempt: Attempt, *, encryption: Encryption
) -> User | None:
    before = reauthenticate(caller=caller, password=password, limits=limits)
    if before.second_factor is None:
        raise NoSecondFactor
    attempt.count(limits.code(before))
    if accept_code(before.second_factor, code, encryption=encryption, at=now()) is None:
        raise Invalid.field("code", "wrong-code", "This is not an unused code of your authenticator or a recovery code")
    return _remove(before)


def remove_second_factor(*, caller: Caller, user_id: str, limits: LoginLimits) -> User:
    """Remove it from an account whose owner lost it, as an admin. Wrong codes for it count no more: another one has other codes.

    Raises UnknownUser, NotAllowed, OwnAccount, NoSecondFactor.
    """
    user = _remove_of(caller, user_id)
    limits.code(user).clear()
    return user


@until_written
def _remove_of(caller: Caller, user_id: str) -> User | None:
    caller.require("admin")
    before = managed_account(caller=caller, user_id=user_id)
    if before.second_factor is None:
        raise NoSecondFactor
    return _remove(before, actor=caller.user_id)


def _remove(before: User, *, actor: str | None = None) -> User | None:
    at, after = now(), before.without_second_factor()
    audit = (
        AccountChange.between(before, after, action=Action.AUTHENTICATOR_REMOVED, actor=actor, at=at) if actor else None
    )
    notice = UserNoticeRequested.of(before, "authenticator-removed", at=at)
    return users.update(before, after, notice, tokens="end", audit=audit)
