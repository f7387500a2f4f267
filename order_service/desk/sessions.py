"""Sessions of the desk: begun by a login at user_service, and ended with it.

A session holds the account's id, the login's `sid` and its time, and is checked against the revocations at each request, as a
token is. Those are known for an hour: so a session that rests for half an hour ends, and none lasts longer than a working day.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from chassis.logs import get_logger
from messaging.revocations import issued_at
from order_service.desk.accounts import SignedIn
from order_service.revocations import revocations

log = get_logger(__name__)

KEY = "desk"
LONGEST_MS = 8 * 3600 * 1000  # a working day


@dataclass(frozen=True)
class DeskSession:
    """What a session knows of its login. The tokens stay on the server, in the session's row."""

    user_id: str
    sid: str | None
    signed_in_at: int  # ms since the epoch
    access: str
    refresh: str | None

    @classmethod
    def of(cls, claims: Mapping[str, Any], tokens: SignedIn) -> Self:
        """Of a login."""
        return cls(str(claims["user_id"]), claims.get("sid"), issued_at(claims), tokens.access, tokens.refresh)

    @classmethod
    def in_(cls, request: HttpRequest) -> Self | None:
        """That of a request; None for a local account, and for nobody."""
        found = request.session.get(KEY)
        return cls(**found) if found else None

    def wait_in(self, request: HttpRequest) -> None:
        """Lie ready for `begin`: Django makes the session anew between the two."""
        request.desk_session = self  # type: ignore[attr-defined]

    @staticmethod
    def begin(request: HttpRequest) -> None:
        """Keep what lies ready in the session that has just been made."""
        if waiting := getattr(request, "desk_session", None):
            request.session[KEY] = asdict(waiting)
        else:
            request.session.pop(KEY, None)

    def is_over(self) -> bool:
        """True once the account or the login was ended elsewhere, or the day is over. The database's errors go through."""
        too_old = time.time() * 1000 - self.signed_in_at > LONGEST_MS
        return too_old or revocations.ended(self.user_id, self.sid, self.signed_in_at)


class EndSessions:
    """A middleware: a session that is over is nobody's, before any view asks who it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            desk = DeskSession.in_(request)
            if desk and desk.is_over():
                log.info("desk session ended", user_id=desk.user_id)
                logout(request)
        return self._get_response(request)
