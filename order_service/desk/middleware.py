"""The middleware of pages: static files, sessions, CSRF tokens, users, messages.

A client of the API sends its token with each request and uses none of these. Its requests skip them, which saves a tenth of their
time (docs/adr/0052).
"""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware

from order_service.desk.sign_in.staff_login import RevokedLoginMiddleware

API = "/orders"
SCHEMES = ("Bearer ", "bearer ")  # as the setting AUTH_HEADER_TYPES has them


def is_of_client(request: HttpRequest) -> bool:
    """True for a request to the API with an access token, unless it asks for a page."""
    sent = request.META
    has_token = sent.get("HTTP_AUTHORIZATION", "").startswith(SCHEMES)
    return has_token and request.path_info.startswith(API) and "text/" not in sent.get("HTTP_ACCEPT", "")


class ForPages:
    """The base of a middleware that requests of clients skip."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if is_of_client(request) else super().__call__(request)  # type: ignore[misc]


class PageFiles(ForPages, WhiteNoiseMiddleware):
    """Static files."""


class PageSessions(ForPages, SessionMiddleware):
    """Sessions."""


class PageCsrf(ForPages, CsrfViewMiddleware):
    """CSRF tokens. The views of the API are exempt, and SessionAuthentication checks their tokens itself."""


class PageUsers(ForPages, AuthenticationMiddleware):
    """The user of a session."""


class PageLogins(ForPages, RevokedLoginMiddleware):
    """The end of a login that was revoked."""


class PageMessages(ForPages, MessageMiddleware):
    """Messages on the next page."""
