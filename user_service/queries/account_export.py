"""All data that the shop keeps about a customer: account and sessions from here, orders from order_service.

The orders come page by page, so an export of any length needs the memory of one page.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from libs.access.caller import Caller
from libs.runtime.logs import get_logger
from libs.values.pages import PageRequest
from user_service.domain.errors import ExportInterrupted
from user_service.domain.session import Session
from user_service.domain.user import User
from user_service.queries.customer_orders import read_orders
from user_service.queries.sessions import list_sessions
from user_service.store import users
from user_service.store.limits.export_slots import ExportSlot
from user_service.store.limits.rate_limits import Limiter

log = get_logger(__name__)

MAX_SECONDS = 300.0  # a client that reads slowly holds its slot no longer
SESSIONS = PageRequest("newest", 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountExport:
    """The data of one customer. `orders` is the JSON of order_service, read page by page when it is iterated."""

    account: User
    sessions: Sequence[Session]
    orders: Iterable[Any]


def export_account(
    *, caller: Caller, authorization: str, order_service_url: str, limiter: Limiter
) -> tuple[AccountExport, ExportSlot]:
    """The data of the caller, and the slot to release when all of it was sent or the client has left.

    `authorization` is the header of the request. The first page of orders is read here, so an error has its own response. Later
    pages are read while the response is sent. Raises NotAuthenticated, ExportInFlight, TooManyExports, TooManyAttempts,
    Unavailable without order_service. The orders raise ExportInterrupted when a later page can't be read.
    """
    account = users.own_account(caller)
    limit = limiter.limit("export", account=account.id)
    limit.enforce()
    slot = ExportSlot.take(account.id)
    try:
        sessions = list_sessions(SESSIONS, user_id=account.id).results
        pages = read_orders(order_service_url, authorization)
        first = next(pages)
        limit.enforce_hit()  # an export that could not begin does not count
    except BaseException:
        slot.release()
        raise
    return AccountExport(account=account, sessions=sessions, orders=_orders(first, pages, slot)), slot


def _orders(first: Sequence[Any], pages: Iterator[Sequence[Any]], slot: ExportSlot) -> Iterable[Any]:
    return chain(first, chain.from_iterable(_later_pages(pages, slot)))


def _later_pages(pages: Iterator[Sequence[Any]], slot: ExportSlot) -> Iterator[Sequence[Any]]:
    end = time.monotonic() + MAX_SECONDS
    try:
        for page in pages:
            if time.monotonic() > end:
                raise ExportInterrupted
            slot.renew()
            yield page
    except Exception as error:
        log.warning("export interrupted", error=type(error).__name__)
        raise ExportInterrupted from error
    finally:
        slot.release()
