"""The orders of a customer, page by page from order_service.

order_service gets the customer's own access token, so it decides which orders are theirs.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from libs.runtime.http_client import NoResponse, call, deadline
from libs.runtime.logs import get_logger
from libs.values.errors import NotAuthenticated, Unavailable

log = get_logger(__name__)

PAGE_SECONDS = 4.0
PAGE_ORDERS = 20
MAX_PAGE_BYTES = 2 * 1024 * 1024  # 20 orders of 50 lines are 1.1 MB when each name has 200 characters of 4 bytes


def read_orders(base: str, authorization: str) -> Iterator[Sequence[Any]]:
    """The pages of all orders of the caller, newest first. Each page has to arrive within PAGE_SECONDS.

    `authorization` is the header of the request. Raises Unavailable without order_service, and NotAuthenticated when it refuses
    the token.
    """
    path: str | None = f"/orders?limit={PAGE_ORDERS}"
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
            yield page["results"]
            following = urlsplit(page["next"] or "")  # only its query is used, so no answer leads to another host
            path = f"/orders?{following.query}" if following.query else None
    except (NoResponse, ValueError, KeyError, TypeError) as error:
        log.warning("order_service unavailable", error=type(error).__name__)
        raise Unavailable("The orders can't be read now. Try again soon") from None
