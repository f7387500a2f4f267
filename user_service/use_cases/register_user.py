"""Register an account."""

from collections.abc import Sequence

from libs.values.email_address import EmailAddress
from libs.values.times import now
from user_service.domain.mail_token import MailToken
from user_service.domain.user import User
from user_service.events.published import UserMailRequested, UserRegistered
from user_service.store import users
from user_service.store.password_hashes import hash_password


def register_user(*, username: str, email: str, password: str, roles: Sequence[str] = ()) -> User:
    """Create an account and request the mail that verifies its address. Raises UsernameTaken, EmailTaken, TooManyHashes."""
    at = now()
    user = User(
        id=users.new_id(),
        username=username,
        email=EmailAddress.of(email),
        password_hash=hash_password(password),
        roles=tuple(roles),
        created_at=at,
        updated_at=at,
    )
    token, text = MailToken.issue("verify", user_id=user.id, email_key=user.email.key, at=at)
    return users.add(user, UserRegistered.of(user), UserMailRequested.of(user, token, text), issued=token)
