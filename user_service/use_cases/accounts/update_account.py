"""Change the name or the address of one's own account."""

from dataclasses import replace

from libs.access.caller import Caller
from libs.mongo_store.transactions import until_written
from libs.values.email_address import EmailAddress
from user_service.domain.errors import EmailTaken
from user_service.domain.mail_token import MailToken
from user_service.domain.user import User
from user_service.events.published import UserMailRequested, UserNoticeRequested, UserUpdated
from user_service.store import users
from user_service.store.clock import now
from user_service.store.limits.mail_limits import MailLimits
from user_service.store.limits.rate_limits import Attempt, LoginLimits
from user_service.use_cases.reauthenticate import reauthenticate


@until_written
def change_username(*, caller: Caller, username: str) -> User | None:
    """Change the name. Raises UsernameTaken, and NotAuthenticated when the account is disabled or deleted."""
    before = users.own_account(caller)
    after = replace(before, username=username)
    return users.update(before, after, UserUpdated.of(after))


def change_email(
    *,
    caller: Caller,
    email: str,
    password: str,
    limits: LoginLimits,
    mail_limits: MailLimits,
    username: str | None = None,
) -> User:
    """Change the address, and the name if it is given. Access tokens with the old address end, sessions stay.

    A change to another mailbox sends it the verification mail, and the old one a notice. Another spelling of the same mailbox stays
    verified. Raises Invalid on `password`, UsernameTaken, EmailTaken, TooManyAttempts, TooManyHashes, NotAuthenticated.
    """
    attempt = Attempt()

    @until_written
    def change() -> User | None:
        before = reauthenticate(caller=caller, password=password, limits=limits)
        after = before.with_email(EmailAddress.of(email))
        if after.email != before.email:
            _count(before, after.email, mail_limits, attempt)
        if username is not None:
            after = replace(after, username=username)
        return _write(before, after)

    return change()


def _count(user: User, address: EmailAddress, limits: MailLimits, attempt: Attempt) -> None:
    """Count a change of the address. One that is refused counts too, because the refusal shows that there is such an account."""
    attempt.count(limits.account(user))
    attempt.count(limits.client())
    if users.find_by_email(address):
        raise EmailTaken
    attempt.count(limits.recipient(address))
    if not user.email_verified:  # it may be a stranger's, and it gets a notice that is never suppressed
        attempt.count(limits.recipient(user.email))


def _write(before: User, after: User) -> User | None:
    if after.email != before.email:
        at = now()
        token, text = MailToken.issue("verify", user_id=after.id, email_key=after.email.key, at=at)
        events = (
            UserUpdated.of(after),
            UserMailRequested.of(after, token, text),
            UserNoticeRequested.of(before, "email-changed", at=at),
        )
        return users.update(before, after, *events, tokens="renew", issued=token)
    if after.email.text != before.email.text:
        return users.update(before, after, UserUpdated.of(after), tokens="renew")
    return before if after == before else users.update(before, after, UserUpdated.of(after))
