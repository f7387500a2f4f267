"""Refresh a session: exchange its refresh token for the next pair of tokens."""

from pydantic import SecretStr

from libs.runtime.logs import get_logger
from libs.values.times import now, now_ms
from user_service.domain.errors import SessionEnded
from user_service.domain.refresh_token import RefreshToken
from user_service.domain.session import TokenGrant
from user_service.store import sessions, users

log = get_logger(__name__)


def refresh_session(*, text: str, key: SecretStr) -> TokenGrant:
    """Rotate the refresh token with this text. `key` has signed it. Raises SessionEnded.

    A token that was used before ends the session: another client has a copy of the session's tokens.
    """
    token = RefreshToken.verify(text, key)
    issued_at = now_ms()
    session = sessions.rotate(token, at=now(), issued_at=issued_at)
    if session is None:
        log.warning("refresh token refused: used before, or its session has ended", sid=token.sid)
        sessions.end(token.sid)
        raise SessionEnded
    user = users.find_active(session.user_id)
    if user is None:
        raise SessionEnded
    return TokenGrant(user=user, session=session, issued_at=issued_at)
