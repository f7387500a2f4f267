"""Forms that a signed-out browser sends: the page to go back to, what was not done, and what was typed.

The typed text waits for ten minutes in a signed cookie that only the form's page gets. So nothing of a browser without a session is
stored here.
"""

import zlib
from collections.abc import Mapping

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

COOKIE = "unsent"
MAX_AGE = 600  # seconds
MAX_BYTES = 3500  # a browser keeps cookies of 4096 bytes
ORDER_FORMS = ("order_status", "order_note", "order_mail")
TEXTS = ("text", "delta", "reason")  # fields that are worth keeping
NOT_DONE: Mapping[str, str] = {
    "order_status": "The status of the order was not changed.",
    "order_note": "Your note was not added.",
    "order_mail": "The mail was not sent again.",
    "orders_order_changelist": "The action on the orders was not carried out.",
    "orders_order_export": "Nothing was exported.",
    "orders_outboxdead_changelist": "The events were not sent again.",
    "desk-product": "The stock was not changed.",
    "desk-user": "The account was not changed.",
}
"""What did not happen, by the name of the form's address."""


def page_of(request: HttpRequest) -> str:
    """The address of the page that shows the form which this request sends."""
    match = request.resolver_match
    if match and match.url_name in ORDER_FORMS:
        return reverse("admin:orders_order_change", args=[match.kwargs["order_id"]])
    return request.get_full_path()


def not_done(request: HttpRequest) -> str:
    """A sentence about the form's change, which was not made."""
    match = request.resolver_match
    return NOT_DONE.get(str(match.url_name) if match else "", "Your change was not made.")


def keep(request: HttpRequest, response: HttpResponse) -> None:
    """Let the browser keep what was typed, when it fits into a cookie."""
    typed = {name: request.POST[name] for name in TEXTS if request.POST.get(name)}
    value = signing.dumps(typed, salt=COOKIE, compress=True)
    if typed and len(value) <= MAX_BYTES:
        response.set_cookie(
            COOKIE,
            value,
            max_age=MAX_AGE,
            path=page_of(request).partition("?")[0],
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )


def typed(request: HttpRequest) -> dict[str, str]:
    """What was typed into the page's form before the sign-in."""
    try:
        found: dict[str, str] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=MAX_AGE)
    except (signing.BadSignature, ValueError, zlib.error):
        return {}
    return found


def discard(request: HttpRequest, response: HttpResponse) -> None:
    """Once the page has shown it, the cookie goes."""
    if COOKIE in request.COOKIES:
        response.delete_cookie(COOKIE, path=request.path, samesite="Lax")
