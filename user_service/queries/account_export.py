"""Everything the shop keeps about a customer, in one document: account and sessions from here, orders from order_service.

That one is asked with the customer's own token, so that it decides what is theirs.
"""

import http.client
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import orjson

from libs.access.caller import Caller
from libs.runtime.logs import get_logger
from libs.values.errors import NotAuthenticated, Unavailable
from libs.values.pages import PageRequest
from user_service.queries.sessions import list_sessions
from user_service.queries.users import to_public
from user_service.use_cases.accounts import own_account

log = get_logger(__name__)

ANSWER_SECONDS = 4.0
FIRST_PAGE = "/orders?limit=100"
SESSIONS = PageRequest("newest", 100)


def export_account(*, caller: Caller, authorization: str, order_service_url: str) -> dict[str, Any]:
    """`{account, sessions, orders}`. `authorization` is the caller's header. Raises Unavailable when order_service is away."""
    me = own_account(caller=caller)
    return {
        "account": to_public(me),
        "sessions": list_sessions(SESSIONS, user_id=caller.user_id, current=caller.sid).results,
        "orders": list(_orders(order_service_url, authorization)),
    }


def _orders(base: str, authorization: str) -> Iterator[Any]:
    """All orders, newest first, page by page over one connection."""
    url = urlsplit(base)
    make = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = make(url.netloc, timeout=ANSWER_SECONDS)
    path: str | None = url.path.rstrip("/") + FIRST_PAGE
    try:
        while path:
            connection.request("GET", path, headers={"Authorization": authorization, "Accept": "application/json"})
            page = _read(connection.getresponse())
            yield from page["results"]
            following = urlsplit(page["next"] or "")  # its host is the one that order_service was called by
            path = f"{url.path.rstrip('/')}/orders?{following.query}" if following.query else None
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        log.warning("order_service is away", error=type(error).__name__)
        raise Unavailable("The orders can't be asked for right now") from None
    finally:
        connection.close()


def _read(answer: http.client.HTTPResponse) -> Any:
    body = answer.read()
    if answer.status == 401:  # it heard of the end of the token first
        raise NotAuthenticated
    if answer.status != 200:
        raise http.client.HTTPException(answer.status)
    return orjson.loads(body)
