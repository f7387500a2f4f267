"""Sessions of the desk: begun by a login at user_service, and ended with it.

A session holds the account's id, the login's `sid` and its time, and is checked against the revocations at each request, as a
token is. Those are known for an hour: so a session that rests for half an hour ends, and none lasts longer than a working day.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from libs.access.revocations import issued_at
from libs.runtime.logs import get_logger
from order_service.api.authentication import revocations
from order_service.desk.sign_in import token_store
from order_service.desk.sign_in.user_service import SignedIn

log = get_logger(__name__)

KEY = "desk"
LONGEST_MS = token_store.LONGEST // timedelta(milliseconds=1)
OVER = "Your login has ended. Please sign in again."


@dataclass(frozen=True)
class DeskSession:
    """What a session knows of its login."""

    user_id: str
    sid: str | None
    signed_in_at: int  # ms since the epoch
    tokens: str  # by this key desk/tokens.py finds them

    @classmethod
    def of(cls, claims: Mapping[str, Any], given: SignedIn) -> Self:
        """Of a login, whose tokens are kept."""
        return cls(str(claims["user_id"]), claims.get("sid"), issued_at(claims), token_store.keep(given))

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


def _is_foreign(found: Mapping[str, Any] | None) -> bool:
    """True for what another release of the desk has kept."""
    return found is not None and set(found) != {field.name for field in fields(DeskSession)}


def end(request: HttpRequest) -> SignedIn | None:
    """Make the request nobody's, and forget the login's tokens; return them. None for a local account."""
    desk = DeskSession.in_(request)
    logout(request)
    return token_store.forget(desk.tokens) if desk else None


class EndSessions:
    """A middleware: a session that is over is nobody's, before any view asks who it is, or as soon as a view finds out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            if _is_foreign(request.session.get(KEY)):
                logout(request)
            elif (desk := DeskSession.in_(request)) and desk.is_over():
                self._end(request)
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django's hook: the way back to signing in for whoever is out, and from there to this page."""
        if not isinstance(error, token_store.SessionOver):
            return None
        self._end(request)
        messages.warning(request, OVER)
        return redirect_to_login(request.get_full_path(), "admin:login")

    @staticmethod
    def _end(request: HttpRequest) -> None:
        log.info("desk session ended", user_id=request.session[KEY]["user_id"])
        end(request)
