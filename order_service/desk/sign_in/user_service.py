"""user_service, as the desk sees it: sign in, renew the tokens, sign out."""

from typing import Any, NamedTuple

from django.conf import settings

from libs.runtime.http_client import Answer, NoAnswer, call_in_turn, deadline
from libs.values.errors import Unavailable

BUSY = "The account service does not answer. Please try again in a moment."
TOO_OFTEN = "This account was tried too often. Please try again in a quarter of an hour."


class SignedIn(NamedTuple):
    """What a login gives: an access token, and the token that renews it."""

    access: str
    refresh: str | None


class Refused(Exception):
    """A login was refused; `code` is that of the problem."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def sign_in(*, email: str, password: str, code: str, address: str, agent: str) -> SignedIn:
    """Log in as somebody whose browser is at `address` and calls itself `agent`. Raises Refused, Unavailable."""
    body = {"email": email, "password": password} | ({"code": code} if code else {})
    status, answer = _post("/login", body, deadline(), {"X-Forwarded-For": address, "User-Agent": agent})
    match status:
        case 200:
            return SignedIn(str(answer["token"]), answer.get("refresh"))
        case 400 | 401:
            raise Refused(str(answer.get("code", "")))
        case 429:
            raise Unavailable(TOO_OFTEN)
    raise Unavailable(BUSY)


def renew(*, refresh: str | None, until: float) -> SignedIn:
    """The next pair of tokens, by `until` of time.monotonic(). Raises Refused once the login is over, Unavailable."""
    status, answer = _post("/token/refresh", {"refresh": refresh}, until) if refresh else Answer(401, {})
    match status:
        case 200:
            return SignedIn(str(answer["token"]), answer.get("refresh"))
        case 400 | 401:
            raise Refused(str(answer.get("code", "")))
    raise Unavailable(BUSY)


def sign_out(*, refresh: str) -> None:
    """End the session that a login began. Raises Unavailable."""
    _post("/logout", {"refresh": refresh}, deadline())


def _post(path: str, body: dict[str, Any], until: float, headers: dict[str, str] | None = None) -> Answer:
    try:
        return call_in_turn(settings.USER_SERVICE_URL, "POST", path, until=until, body=body, headers=headers)
    except NoAnswer as none:
        raise Unavailable(BUSY) from none
