"""A form of the desk acts once, however often a browser sends it: by a double click, a reload, or a page out of the history.

Each form that changes something carries a key: that of the tag `form_key`, or the token against forged requests, which is another
one in each form. Who sends the same fields with the same key again gets the first response. Other fields are another form.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString, mark_safe

from libs.values.idempotency import IdempotentRequest, KeyInFlight
from order_service.use_cases.orders.idempotency import JsonObject, run_once

DESK = "/admin/"
KEY, TOKEN = "key", "csrfmiddlewaretoken"
SIGN_IN_PAGES = ("/admin/login/", "/admin/logout/")
STOCK = "/admin/products/"  # its form passes the key on to product_service, which acts once itself
ROUTE = "desk"  # of the keys
MAX_USER_ID = 64  # characters, in the table of keys
PERSONAL = "personal"  # the tag of a message that names a person: a deleted account must not be found in the keys
ACTED_ONCE = "The form was sent twice, and it has acted once."
SENT_TWICE = "The form was sent twice, and it acts once. Reload the page to see what it has changed."


class OnceMiddleware:
    """Keeps the response to each form that was accepted: its redirect and its messages. No error is kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        form = _form_of(request) if _may_change(request) else None
        if form is None:
            return self._get_response(request)
        fresh: list[HttpResponse] = []

        def work() -> JsonObject | None:
            before = _messages(request)
            fresh.append(response := self._get_response(request))
            if not isinstance(response, HttpResponseRedirect):
                return None
            added = _messages(request)[len(before) :]
            if any(level == messages.ERROR for level, *_ in added):  # refused, so it may act when it is sent again
                return None
            same_page = response.url == request.get_full_path()
            location = None if same_page else response.url.partition("?")[0]  # a search may hold an address
            return {"location": location, "messages": added}

        try:
            kept = run_once(form, work)
        except KeyInFlight:
            messages.info(request, SENT_TWICE)
            return HttpResponseRedirect(request.get_full_path())
        return fresh[0] if fresh else _again(request, kept)


def _may_change(request: HttpRequest) -> bool:
    path = request.path
    return (
        request.method == "POST" and path.startswith(DESK) and path not in SIGN_IN_PAGES and not path.startswith(STOCK)
    )


def _form_of(request: HttpRequest) -> IdempotentRequest | None:
    """The form with its key. None without a key, and for a browser that is not signed in."""
    key = request.POST.get(KEY) or request.POST.get(TOKEN)
    if not key or not request.user.is_authenticated:
        return None
    fields = {name: values for name, values in request.POST.lists() if name != TOKEN}
    body = {"key": key, "path": request.get_full_path(), "fields": fields}
    user_id = request.user.get_username()
    if len(user_id) > MAX_USER_ID:  # of a local account
        user_id = f"local {request.user.pk}"
    digest = IdempotentRequest(user_id=user_id, route=ROUTE, key="", body=body).body_hash
    return IdempotentRequest(user_id=user_id, route=ROUTE, key=digest, body=body)


def _messages(request: HttpRequest) -> list[list[object]]:
    """The messages that the next page will show, without personal data: each with its level and whether it is HTML."""
    storage: Any = messages.get_messages(request)
    found: list[list[object]] = [
        [message.level, ACTED_ONCE, False]
        if PERSONAL in message.tags.split()
        else [message.level, str(message.message), isinstance(message.message, SafeString)]
        for message in storage
    ]
    storage.used = False
    return found


def _again(request: HttpRequest, kept: Mapping[str, object]) -> HttpResponse:
    for level, text, is_html in kept["messages"]:  # type: ignore[attr-defined] # as `work` has stored them
        messages.add_message(request, level, mark_safe(text) if is_html else text)  # our own template made it
    return HttpResponseRedirect(str(kept["location"] or request.get_full_path()))
