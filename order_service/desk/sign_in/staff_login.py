"""The login of user_service behind a session of the desk. The session ends with it.

A session holds the account's id, the login's `sid` and its time. Each request checks these against the revocations, as it checks
a token. A service knows revocations for one hour. So a session ends after 30 minutes without a request, and after 8 hours at most.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from libs.access.caller import Caller
from libs.runtime.logs import get_logger
from order_service.api.authentication import revocations
from order_service.desk.once import DESK, SIGN_IN_PAGES
from order_service.desk.sign_in import token_store, unsent
from order_service.desk.sign_in.user_service import TokenPair

log = get_logger(__name__)

KEY = "desk"  # in the session
MAX_AGE_MS = token_store.MAX_AGE // timedelta(milliseconds=1)
LOGIN_ENDED = "Your login has ended. Sign in again."
TOO_OLD = "You were signed out, because you signed in 8 hours ago. Sign in again."
ACCOUNT_CHANGED = (
    "You were signed out, because your password, your roles or the state of your account changed. Sign in again."
)
LOGIN_REVOKED = "You were signed out, because this login was ended elsewhere. Sign in again."
SIGNED_OUT = "You are not signed in any more. Sign in, and send the form again."


@dataclass(frozen=True)
class StaffLogin:
    """What a session of the desk keeps of its login."""

    user_id: str
    sid: str | None
    signed_in_at: int  # ms since the epoch
    tokens: str  # the key in token_store

    @classmethod
    def of(cls, caller: Caller, tokens: TokenPair) -> Self:
        """From the caller of a new access token. Stores the tokens."""
        key = token_store.add(tokens, user_id=caller.user_id)
        return cls(caller.user_id, caller.sid, caller.issued_at, key)

    @classmethod
    def of_request(cls, request: HttpRequest) -> Self | None:
        """From the request's session. None for a local account and without a session."""
        found = request.session.get(KEY)
        return cls(**found) if found else None

    def attach(self, request: HttpRequest) -> None:
        """Keep the login on the request until `begin`: Django creates a new session between the two."""
        request.staff_login = self  # type: ignore[attr-defined]

    @staticmethod
    def begin(request: HttpRequest) -> None:
        """Write the attached login into the new session."""
        if attached := getattr(request, "staff_login", None):
            request.session[KEY] = asdict(attached)
        else:
            request.session.pop(KEY, None)

    def why_ended(self) -> str:
        """Why the login has ended, for the staff member, or "" while it lasts. Raises database errors."""
        if revocations.now() * 1000 - self.signed_in_at > MAX_AGE_MS:
            return TOO_OLD
        if not revocations.ended(self.user_id, self.sid, self.signed_in_at):
            return ""
        return ACCOUNT_CHANGED if revocations.ended(self.user_id, None, self.signed_in_at) else LOGIN_REVOKED


def _has_other_fields(found: Mapping[str, object] | None) -> bool:
    """True for a login that another release of the desk has written."""
    return found is not None and set(found) != {field.name for field in fields(StaffLogin)}


def end_login(request: HttpRequest) -> TokenPair | None:
    """End the request's session, delete the login's tokens and return them. Returns None for a local account."""
    login = StaffLogin.of_request(request)
    logout(request)
    return token_store.remove(login.tokens) if login else None


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page, which leads back to this page, or to the page of this form with what was typed."""
    response = redirect_to_login(unsent.page_of(request), "admin:login")
    if request.method == "POST":
        messages.warning(request, unsent.not_done(request))
        unsent.keep(request, response)
    return response


class RevokedLoginMiddleware:
    """Ends a session whose login has ended, before a view reads the user or when a view raises LoginEnded."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            if _has_other_fields(request.session.get(KEY)):
                logout(request)
            elif (login := StaffLogin.of_request(request)) and (why := login.why_ended()):
                self._end(request)
                messages.warning(request, why)
                request.signed_out = True  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, arguments: object, named: object) -> HttpResponse | None:
        """Django's hook, after the check of the form's token. A signed-out browser's form leads to its page by the sign-in."""
        is_form = request.method == "POST" and request.path.startswith(DESK) and request.path not in SIGN_IN_PAGES
        if not is_form or admin.site.has_permission(request):
            return None
        if not getattr(request, "signed_out", False):  # no reason was given yet
            messages.warning(request, SIGNED_OUT)
        return to_sign_in(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django's hook. Redirect to the sign-in page, which leads back to this page."""
        if not isinstance(error, token_store.LoginEnded):
            return None
        self._end(request)
        messages.warning(request, LOGIN_ENDED)
        return to_sign_in(request)

    @staticmethod
    def _end(request: HttpRequest) -> None:
        log.info("desk session ended", user_id=request.session[KEY]["user_id"])
        end_login(request)
