"""Register an account."""

from collections.abc import Sequence

from libs.values.email_address import EmailAddress
from libs.values.times import now
from user_service.domain.mail_token import MailToken
from user_service.domain.user import User
from user_service.events.published import UserMailRequested, UserRegistered
from user_service.store import users
from user_service.store.mail_limits import MailLimits
from user_service.store.password_hashes import hash_password


def register_user(
    *, username: str, email: str, password: str, roles: Sequence[str] = (), limits: MailLimits | None = None
) -> User:
    """Create an account. Request the mail that verifies its address, unless the recipient's limit is reached.

    Raises UsernameTaken, EmailTaken, TooManyHashes.
    """
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
    users.refuse_taken(
        username=user.username, email=user.email
    )  # a registration that is refused sends no mail to count
    if limits and not limits.recipient(user.email).hit():
        return users.add(user, UserRegistered.of(user))
    token, text = MailToken.issue("verify", user_id=user.id, email_key=user.email.key, at=at)
    return users.add(user, UserRegistered.of(user), UserMailRequested.of(user, token, text), issued=token)
