"""Change the name or the address of one's own account."""

from dataclasses import replace

from libs.access.caller import Caller
from libs.mongo_store.transactions import until_written
from libs.values.email_address import EmailAddress
from libs.values.times import now
from user_service.domain.mail_token import MailToken
from user_service.domain.user import User
from user_service.events.published import UserMailRequested, UserUpdated
from user_service.store import users
from user_service.store.rate_limits import LoginLimits
from user_service.use_cases.reauthenticate import reauthenticate


@until_written
def change_username(*, caller: Caller, username: str) -> User | None:
    """Change the name. Raises UsernameTaken, and NotAuthenticated when the account is disabled or deleted."""
    before = users.own_account(caller)
    after = replace(before, username=username)
    return users.update(before, after, UserUpdated.of(after))


@until_written
def change_email(
    *, caller: Caller, email: str, password: str, limits: LoginLimits, username: str | None = None
) -> User | None:
    """Change the address, and the name if it is given. Access tokens with the old address end, sessions stay.

    Another mailbox requests the mail that verifies it. Another spelling of the same mailbox stays verified.
    Raises Invalid on `password`, UsernameTaken, EmailTaken, TooManyAttempts, TooManyHashes, NotAuthenticated.
    """
    before = reauthenticate(caller=caller, password=password, limits=limits)
    after = before.with_email(EmailAddress.of(email))
    if username is not None:
        after = replace(after, username=username)
    if after.email != before.email:
        token, text = MailToken.issue("verify", user_id=after.id, email_key=after.email.key, at=now())
        events = (UserUpdated.of(after), UserMailRequested.of(after, token, text))
        return users.update(before, after, *events, tokens="renew", issued=token)
    if after.email.text != before.email.text:
        return users.update(before, after, UserUpdated.of(after), tokens="renew")
    return before if username is None else users.update(before, after, UserUpdated.of(after))
