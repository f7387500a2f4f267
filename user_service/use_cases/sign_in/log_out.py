"""Log out: end one session, or all sessions of an account."""

from pydantic import SecretStr

from libs.access.caller import Caller
from libs.mongo_store.transactions import until_written
from user_service.domain.errors import SessionEnded, UnknownSession
from user_service.domain.refresh_token import RefreshToken
from user_service.domain.user import User
from user_service.store import sessions, users


def log_out(*, text: str, key: SecretStr) -> None:
    """End the session of the refresh token with this text, also when the token was used. A wrong text has no effect."""
    try:
        token = RefreshToken.verify(text, key)
    except SessionEnded:
        return
    sessions.end(token.sid)


def end_own_session(*, caller: Caller, sid: str) -> None:
    """End one of the caller's sessions. Raises UnknownSession, and NotAuthenticated without an active account."""
    user = users.own_account(caller)
    if sessions.find(sid, user_id=user.id) is None:
        raise UnknownSession
    sessions.end(sid)


@until_written
def end_own_sessions(*, caller: Caller) -> User | None:
    """End all sessions of the caller. Raises NotAuthenticated without an active account."""
    user = users.own_account(caller)
    return users.update(user, user, tokens="end")
