"""The calls to user_service with which staff sign in, renew their tokens and sign out."""

from collections.abc import Mapping
from typing import NamedTuple

from django.conf import settings

from libs.runtime.http_client import HttpResponse, NoResponse, call_limited, deadline
from libs.values.errors import Unavailable

NO_RESPONSE = "The account service does not respond. Try again in a moment."
TOO_MANY_ATTEMPTS = "Too many failed attempts for this account. Try again in 15 minutes."


class TokenPair(NamedTuple):
    """The tokens of a login: the access token, and the refresh token that renews it."""

    access: str
    refresh: str | None


class LoginRefused(Exception):
    """user_service refused a login or a refresh token. `code` is the problem's code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def sign_in(*, email: str, password: str, code: str, address: str, agent: str) -> TokenPair:
    """Log in for a browser with this IP address and User-Agent. Raises LoginRefused, Unavailable."""
    body = {"email": email, "password": password} | ({"code": code} if code else {})
    response = _post("/login", body, deadline(), {"X-Forwarded-For": address, "User-Agent": agent})
    if response.status == 429:
        raise Unavailable(TOO_MANY_ATTEMPTS)
    return _tokens(response)


def renew(*, refresh: str | None, until: float) -> TokenPair:
    """The next pair, by the deadline `until` of time.monotonic(). Raises LoginRefused once the login has ended, Unavailable."""
    return _tokens(_post("/token/refresh", {"refresh": refresh}, until) if refresh else HttpResponse(401, {}))


def sign_out(*, refresh: str) -> None:
    """End the login. Raises Unavailable."""
    _post("/logout", {"refresh": refresh}, deadline())


def _post(path: str, body: Mapping[str, str], until: float, headers: Mapping[str, str] | None = None) -> HttpResponse:
    try:
        return call_limited(settings.USER_SERVICE_URL, "POST", path, until=until, body=body, headers=headers)
    except NoResponse as error:
        raise Unavailable(NO_RESPONSE) from error


def _tokens(response: HttpResponse) -> TokenPair:
    match response.status:
        case 200:
            return TokenPair(str(response.body["token"]), response.body.get("refresh"))
        case 400 | 401:
            raise LoginRefused(str(response.body.get("code", "")))
    raise Unavailable(NO_RESPONSE)
