"""Register an account."""

from collections.abc import Sequence

from libs.values.email_address import EmailAddress
from user_service.domain.account_change import COMMAND, AccountChange, Action
from user_service.domain.mail_token import MailToken
from user_service.domain.passwords import refuse_guessable
from user_service.domain.user import User
from user_service.events.published import UserMailRequested, UserRegistered
from user_service.store import users
from user_service.store.clock import now
from user_service.store.limits.mail_limits import MailLimits
from user_service.store.password_hashes import hash_password


def register_user(
    *,
    username: str,
    email: str,
    password: str,
    roles: Sequence[str] = (),
    client_address: str | None = None,
    shop_name: str = "",
    verified: bool = False,
    limits: MailLimits | None = None,
) -> User:
    """Create an account, and request the mail that verifies its address unless it counts as `verified`.

    No mail is requested when the recipient's limit is reached. Raises Invalid on `password`,
    UsernameTaken, EmailTaken, TooManyHashes.
    """
    at, mailbox = now(), EmailAddress.of(email)
    refuse_guessable(password, username=username, email=mailbox, shop_name=shop_name)
    user = User(
        id=users.new_id(),
        username=username,
        email=mailbox,
        password_hash=hash_password(password),
        roles=tuple(roles),
        email_verified=verified,
        created_at=at,
        updated_at=at,
    )
    if client_address is not None:
        user = user.with_client_address(client_address)
    audit = AccountChange.between(None, user, action=Action.CREATED, actor=COMMAND, at=at) if roles else None
    # A registration that is refused sends no mail, so it must not count.
    users.refuse_taken(username=user.username, email=user.email)
    if verified or (limits and not limits.recipient(user.email).hit()):
        return users.add(user, UserRegistered.of(user), audit=audit)
    token, text = MailToken.issue("verify", user_id=user.id, email_key=user.email.key, at=at)
    mail = UserMailRequested.of(user, token, text)
    return users.add(user, UserRegistered.of(user), mail, issued=token, audit=audit)
