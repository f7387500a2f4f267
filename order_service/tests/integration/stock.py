"""What the worker does with one event of product_service or notification_service, for tests of what follows from it."""

from typing import Any

from order_service.domain.errors import UnknownOrder
from order_service.domain.rejection import Rejection, StockReply
from order_service.domain.sent_mail import SentMail
from order_service.use_cases.mails.record_sent_mails import record_sent_mails
from order_service.use_cases.orders.apply_stock_replies import apply_stock_replies


def apply_stock_reply(*, order_id: str, rejection: Rejection | None) -> bool:
    """Confirm or reject an order. False when it is decided already. Raises UnknownOrder."""
    applied = apply_stock_replies([StockReply(order_id, rejection)])
    if applied.unknown:
        raise UnknownOrder
    return bool(applied.decided)


def record_sent_mail(**fields: Any) -> None:
    """Record the mail of an event."""
    record_sent_mails([SentMail(**fields)])
