"""Refresh a session: exchange its refresh token for the next pair of tokens."""

from datetime import datetime, timedelta

from pydantic import SecretStr

from libs.runtime.logs import get_logger
from libs.values.times import to_ms
from user_service.domain.errors import SessionEnded
from user_service.domain.refresh_token import RefreshToken
from user_service.domain.session import Session, TokenGrant
from user_service.store import sessions, users
from user_service.store.clock import now

log = get_logger(__name__)


def refresh_session(*, text: str, key: SecretStr, grace: timedelta) -> TokenGrant:
    """Rotate the refresh token with this text. `key` has signed it. Raises SessionEnded.

    Within `grace` after its first use a token gets the same successor again: two tabs used it at once, or the answer was lost.
    A later use ends the session: another client has a copy of the session's tokens (docs/adr/0038).
    """
    token = RefreshToken.verify(text, key)
    at = now()
    issued_at = to_ms(at)
    session = sessions.rotate(token, at=at, issued_at=issued_at) or _rotated_before(
        token, at=at, grace=grace, issued_at=issued_at
    )
    if session is None:
        log.warning("refresh token refused: used before, or its session has ended", sid=token.sid)
        sessions.end(token.sid)
        raise SessionEnded
    user = users.find_active(session.user_id)
    if user is None:
        raise SessionEnded
    return TokenGrant(user=user, session=session, issued_at=issued_at)


def _rotated_before(token: RefreshToken, *, at: datetime, grace: timedelta, issued_at: int) -> Session | None:
    session = sessions.find_live(token.sid, at=at)
    rotated = session and session.after_use_of(token, since=at - grace)
    return rotated if rotated and sessions.note_issued(token.sid, issued_at) else None
