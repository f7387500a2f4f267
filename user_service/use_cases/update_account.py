"""Change the name or the address of one's own account."""

from dataclasses import replace

from libs.access.caller import Caller
from libs.mongo_store.transactions import until_written
from libs.values.email_address import EmailAddress
from libs.values.times import now
from user_service.domain.errors import EmailTaken
from user_service.domain.mail_token import MailToken
from user_service.domain.user import User
from user_service.events.published import UserMailRequested, UserNoticeRequested, UserUpdated
from user_service.store import users
from user_service.store.mail_limits import MailLimits


def update_account(
    *, caller: Caller, limits: MailLimits, username: str | None = None, email: str | None = None
) -> User:
    """Change what is given. A new address requests the mail that verifies it, and a notice to the old one.

    A new address ends all access tokens, because they name the old one. Sessions stay. Raises UsernameTaken, EmailTaken,
    TooManyAttempts, and NotAuthenticated when the account is disabled or deleted.
    """
    address = None if email is None else EmailAddress.of(email)
    if address:
        _count_new_address(users.own_account(caller), address, limits)
    return _update(caller=caller, username=username, address=address)


def _count_new_address(user: User, address: EmailAddress, limits: MailLimits) -> None:
    """Count a change of the address. One that is refused counts too: the refusal shows that there is such an account."""
    if address == user.email:
        return
    limits.account(user).enforce_hit()
    limits.client().enforce_hit()
    if users.find_by_email(address):
        raise EmailTaken
    limits.recipient(address).enforce_hit()


@until_written
def _update(*, caller: Caller, username: str | None, address: EmailAddress | None) -> User | None:
    before = users.own_account(caller)
    after = before if username is None else replace(before, username=username)
    if address and address != before.email:
        after, at = after.with_email(address), now()
        token, text = MailToken.issue("verify", user_id=after.id, email_key=address.key, at=at)
        events = (
            UserUpdated.of(after),
            UserMailRequested.of(after, token, text),
            UserNoticeRequested.of(before, "email-changed", at=at),
        )
        return users.update(before, after, *events, tokens="renew", issued=token)
    return before if username is None else users.update(before, after, UserUpdated.of(after))
