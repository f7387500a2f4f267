"""Send the mail again that verifies the address of one's own account."""

from libs.access.caller import Caller
from libs.mongo_store.transactions import until_written
from user_service.domain.errors import AlreadyVerified
from user_service.domain.mail_token import MailToken
from user_service.domain.user import User
from user_service.events.published import UserMailRequested
from user_service.store import users
from user_service.store.clock import now
from user_service.store.limits.mail_limits import MailLimits


def request_verification(*, caller: Caller, limits: MailLimits) -> None:
    """Request another mail link, unless a limit is reached. Earlier links work until one is used.

    Raises AlreadyVerified, and NotAuthenticated when the account is disabled or deleted.
    """
    user = _unverified_account(caller)
    if limits.account(user).hit() and limits.client().hit() and limits.recipient(user.email).hit():
        _issue(caller)


@until_written
def _issue(caller: Caller) -> User | None:
    user = _unverified_account(caller)
    token, text = MailToken.issue("verify", user_id=user.id, email_key=user.email.key, at=now())
    return users.update(user, user, UserMailRequested.of(user, token, text), issued=token)


def _unverified_account(caller: Caller) -> User:
    user = users.own_account(caller)
    if user.email_verified:
        raise AlreadyVerified
    return user
