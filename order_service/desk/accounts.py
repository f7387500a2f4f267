"""user_service, as the desk sees it: sign in, sign out. Each answer is bounded in time and size."""

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson
from django.conf import settings

from chassis.errors import Unavailable
from chassis.schemas import MAX_BODY_BYTES

SECONDS = 4.0  # for connecting, and again for each read: user_service queues a login for 3 s at most
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
    status, answer = _post("/login", body, {"X-Forwarded-For": address, "User-Agent": agent})
    match status:
        case 200:
            return SignedIn(str(answer["token"]), answer.get("refresh"))
        case 400 | 401:
            raise Refused(str(answer.get("code", "")))
        case 429:
            raise Unavailable(TOO_OFTEN)
    raise Unavailable(BUSY)


def sign_out(*, refresh: str) -> None:
    """End the session that a login began. Raises Unavailable."""
    _post("/logout", {"refresh": refresh}, {})


def _post(path: str, body: dict[str, Any], more: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an answer. Redirects are not followed, and no proxy is asked: the body holds a password."""
    place = urlsplit(settings.USER_SERVICE_URL)
    kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
    connection = kind(place.hostname or "", place.port, timeout=SECONDS)
    headers = {"Content-Type": "application/json", **more}
    try:
        connection.request("POST", place.path.rstrip("/") + path, orjson.dumps(body), headers)
        answer = connection.getresponse()
        raw = answer.read(MAX_BODY_BYTES)
        found = orjson.loads(raw) if raw else {}
    except (OSError, HTTPException, ValueError) as error:
        raise Unavailable(BUSY) from error
    finally:
        connection.close()
    return answer.status, found if isinstance(found, dict) else {}
