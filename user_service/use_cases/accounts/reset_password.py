"""Reset a forgotten password: request a mail link, then set a new password with its token."""

from dataclasses import replace

from libs.mongo_store.transactions import until_written
from libs.values.email_address import EmailAddress
from user_service.domain.mail_token import MailToken
from user_service.domain.passwords import refuse_guessable
from user_service.domain.user import User
from user_service.events.published import UserMailRequested, UserNoticeRequested, UserUpdated
from user_service.store import mail_tokens, users
from user_service.store.clock import now
from user_service.store.limits.mail_limits import MailLimits
from user_service.store.limits.rate_limits import LoginLimits
from user_service.store.password_hashes import hash_password


def request_reset(*, email: str, limits: MailLimits) -> None:
    """Request a mail link for the account with this address, unless a limit is reached.

    Without such an account, and when the recipient's limit is reached, it takes the same time.
    """
    if limits.client().hit():
        _issue(EmailAddress.of(email), limits, counted=[])


@until_written
def _issue(address: EmailAddress, limits: MailLimits, counted: list[bool]) -> bool | None:
    """`counted` keeps the result of the recipient's limit, so that a repeated attempt counts nothing."""
    user = users.find_by_email(address)
    has_account = user is not None and user.active
    if not counted:
        counted.append(limits.recipient(address, sent=has_account).hit())
    if user is None or not has_account or not counted[0]:
        mail_tokens.store_dummy_tokens()
        return True
    token, text = MailToken.issue("reset", user_id=user.id, email_key=user.email.key, at=now())
    return True if users.update(user, user, UserMailRequested.of(user, token, text), issued=token) else None


def reset_password(*, token: str, password: str, limits: LoginLimits, shop_name: str = "") -> User:
    """Set a new password and end all sessions. The address counts as verified, because the mail was read.

    The wrong passwords that this client typed for the account count no more. Raises Invalid on `password`, TokenInvalid,
    TooManyHashes.
    """
    user = _set_password(token, password, shop_name)
    limits.password(user).clear()
    return user


@until_written
def _set_password(token: str, password: str, shop_name: str) -> User | None:
    used = mail_tokens.find("reset", token)
    before = users.find_recipient(used)
    refuse_guessable(password, username=before.username, email=before.email, shop_name=shop_name)
    after = replace(before, password_hash=hash_password(password), email_verified=True)
    notice = UserNoticeRequested.of(after, "password-changed", at=now())
    verified = [] if before.email_verified else [UserUpdated.of(after)]
    return users.update(before, after, *verified, notice, tokens="end", used=used)
