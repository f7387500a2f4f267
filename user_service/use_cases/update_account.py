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


@until_written
def update_account(*, caller: Caller, username: str | None = None, email: str | None = None) -> User | None:
    """Change what is given. A new address requests the mail that verifies it.

    Raises UsernameTaken, EmailTaken, and NotAuthenticated when the account is disabled or deleted.
    """
    before = users.own_account(caller)
    after = before if username is None else replace(before, username=username)
    address = before.email if email is None else EmailAddress.of(email)
    if address != before.email:
        after = after.with_email(address)
        token, text = MailToken.issue("verify", user_id=after.id, email_key=address.key, at=now())
        return users.update(
            before, after, UserUpdated.of(after), UserMailRequested.of(after, token, text), issued=token
        )
    return before if username is None else users.update(before, after, UserUpdated.of(after))
