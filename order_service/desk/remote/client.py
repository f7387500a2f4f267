"""The other services, asked with the staff member's own tokens: each decides itself what this person may do there.

What comes back is a value, for a page shows it in each case: an answer, a refusal in the service's words, or that it is away. An
access token that has ended is renewed once; a login that has ended ends the session (desk/sessions.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest

from libs.runtime.http_client import Answer, NoAnswer, call_in_turn, deadline
from libs.values.errors import Unavailable
from order_service.desk.sign_in import token_store
from order_service.desk.sign_in.staff_login import DeskSession

LOCAL = (
    "You are signed in with a local account, which the other services do not know. "
    "Sign in with an account of the shop to see and change what they keep."
)
PERHAPS_DONE = "It may have done what you asked for all the same: look before you try again."


@dataclass(frozen=True)
class Service:
    """Another service: the setting that holds its address, and what people call it."""

    name: str
    setting: str
    title: str

    @property
    def address(self) -> str:
        """Where it answers."""
        return str(getattr(settings, self.setting))


USERS = Service("user_service", "USER_SERVICE_URL", "The account service")
PRODUCTS = Service("product_service", "PRODUCT_SERVICE_URL", "The catalogue")


@dataclass(frozen=True)
class Away:
    """Nothing to show or done; the words say why."""

    words: str


@dataclass(frozen=True)
class Refusal:
    """The service refuses: its words, and those for single fields by the fields' names in JSON."""

    status: int
    words: str
    fields: Mapping[str, str] = field(default_factory=dict)


def ask(
    request: HttpRequest,
    service: Service,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
) -> dict[str, Any] | Refusal | Away:
    """The service's answer to the person behind `request`. Raises SessionOver when the login has ended."""
    desk = DeskSession.in_(request)
    if desk is None:
        return Away(LOCAL)
    target = f"{path}?{urlencode(query)}" if query else path
    try:
        answer = _ask(desk, service, method, target, body)
    except NoAnswer as none:
        words = f"{service.title} does not answer. Please try again in a moment."
        return Away(f"{words} {PERHAPS_DONE}" if none.sent and method != "GET" else words)
    except Unavailable as away:
        return Away(away.detail or away.title)
    return _meaning(service, answer)


def _ask(desk: DeskSession, service: Service, method: str, target: str, body: Mapping[str, Any] | None) -> Answer:
    """Raises NoAnswer, Unavailable, SessionOver."""
    until, pair = deadline(), token_store.read(desk.tokens)

    def call(access: str) -> Answer:
        headers = {"Authorization": f"Bearer {access}"}
        return call_in_turn(service.address, method, target, until=until, body=body, headers=headers)

    answer = call(pair.access)
    if answer.status == 401:
        pair = token_store.renew(desk.tokens, refused=pair.access, until=until)
        answer = call(pair.access)
    if answer.status == 401:
        raise token_store.SessionOver
    return answer


def _meaning(service: Service, answer: Answer) -> dict[str, Any] | Refusal | Away:
    status, body = answer
    if 200 <= status < 300:
        return body
    words = str(body.get("detail") or body.get("title") or f"status {status}")
    if not 400 <= status < 500 or status == 429:
        return Away(f"{service.title} can not answer now: {words}")
    errors = [row for row in body.get("errors", []) if isinstance(row, dict)]
    return Refusal(status, words, {str(row.get("field")): str(row.get("message")) for row in errors})
