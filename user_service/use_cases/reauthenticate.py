"""Check the password of a caller again, before a change that a stolen access token must not be enough for."""

from libs.access.caller import Caller
from libs.values.errors import Invalid
from user_service.domain.user import User
from user_service.store import users
from user_service.store.limits.rate_limits import LoginLimits
from user_service.store.password_hashes import verify_password


def reauthenticate(*, caller: Caller, password: str, limits: LoginLimits, field: str = "password") -> User:
    """The caller's account. Raises Invalid on `field` for a wrong password, TooManyAttempts, TooManyHashes, NotAuthenticated."""
    user = users.own_account(caller)
    if not verify_password(password, user.password_hash, limits.password(user)):
        raise Invalid.field(field, "wrong-password", "This is not your password")
    return user
