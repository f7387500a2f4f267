"""Verify the address of an account with the token of a mail link."""

from dataclasses import replace

from libs.mongo_store.transactions import until_written
from user_service.domain.user import User
from user_service.events.published import UserUpdated
from user_service.store import mail_tokens, users


@until_written
def verify_email(*, token: str) -> User | None:
    """Mark the address as verified. Raises TokenInvalid."""
    used = mail_tokens.find("verify", token)
    before = users.find_recipient(used)
    after = replace(before, email_verified=True)
    return users.update(before, after, UserUpdated.of(after), used=used)
