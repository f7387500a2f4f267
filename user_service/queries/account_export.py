"""All data that the shop keeps about a customer: account and sessions from here, orders from order_service.

order_service gets the customer's own access token, so it decides which orders are theirs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from libs.access.caller import Caller
from libs.runtime.http_client import NoResponse, call, deadline
from libs.runtime.logs import get_logger
from libs.values.errors import NotAuthenticated, Unavailable
from libs.values.pages import PageRequest
from user_service.domain.session import Session
from user_service.domain.user import User
from user_service.queries.sessions import list_sessions
from user_service.store import users

log = get_logger(__name__)

PAGE_SECONDS = 4.0
MAX_PAGE_BYTES = 8 * 1024 * 1024  # 100 orders of 50 lines are 5.5 MB when each name has 200 characters of 4 bytes
FIRST_PAGE = "/orders?limit=100"
SESSIONS = PageRequest("newest", 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountExport:
    """The data of one customer. `orders` is the JSON of order_service."""

    account: User
    sessions: Sequence[Session]
    orders: Sequence[Any]


def export_account(*, caller: Caller, authorization: str, order_service_url: str) -> AccountExport:
    """The data of the caller. `authorization` is the header of the request. Raises Unavailable without order_service."""
    account = users.own_account(caller)
    sessions = list_sessions(SESSIONS, user_id=account.id).results
    return AccountExport(account=account, sessions=sessions, orders=list(_orders(order_service_url, authorization)))


def _orders(base: str, authorization: str) -> Iterator[Any]:
    """All orders, newest first, page by page. Each page has to arrive within PAGE_SECONDS."""
    path: str | None = FIRST_PAGE
    try:
        while path:
            headers = {"Authorization": authorization}
            status, page = call(
                base, "GET", path, until=deadline(PAGE_SECONDS), headers=headers, max_bytes=MAX_PAGE_BYTES
            )
            if status == 401:  # order_service has read the token's revocation earlier than this service
                raise NotAuthenticated
            if status != 200:
                raise ValueError(status)
            yield from page["results"]
            following = urlsplit(page["next"] or "")
            path = f"/orders?{following.query}" if following.query else None  # no other path gets the caller's token
    except (NoResponse, ValueError, KeyError, TypeError) as error:
        log.warning("order_service unavailable", error=type(error).__name__)
        raise Unavailable("The orders can't be read now. Try again soon") from None
