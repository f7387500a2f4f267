"""What the worker does with each event that comes in: bytes in, one use case called."""

from collections.abc import Mapping
from typing import TypeVar

from ulid import ULID

from libs.access.revocations import Revocation
from libs.django_store.connection import UNAVAILABLE_ERRORS, renew_connection
from libs.messaging.consumer import EventConsumer
from libs.messaging.envelope import Event, MalformedEvent
from libs.messaging.failures import PermanentFailure
from libs.messaging.handler_pool import Handler
from order_service.domain.errors import UnknownOrder
from order_service.events.consumed import (
    MailSent,
    ProductSnapshot,
    StockRejected,
    StockReserved,
    UserDeleted,
    UserRevocation,
)
from order_service.events.topics import CATALOGUE, CATALOGUE_GROUP, MAILS_GROUP, STOCK_GROUP, USERS_GROUP
from order_service.store.catalogue import keep_product
from order_service.store.revocations import store_revocation
from order_service.use_cases.correspondence import keep_sent_mail
from order_service.use_cases.orders import confirm_order, forget_customer, reject_order

STOCK_THREADS = 2  # a transition waits for the database as long as it computes

Answer = TypeVar("Answer", StockReserved, StockRejected)


def follow_product(event: Event) -> None:
    """Any product-* event is a snapshot of the product. Raises MalformedEvent."""
    product = event.read(ProductSnapshot)
    _require_key(event, product.id)
    keep_product(product)


def on_stock_reserved(event: Event) -> None:
    """Confirm the order. Raises MalformedEvent, Refused."""
    answer = _read(event, StockReserved)
    try:
        confirm_order(order_id=answer.order_id)
    except UnknownOrder:
        raise PermanentFailure("there is no such order") from None


def on_stock_rejected(event: Event) -> None:
    """Reject the order. Raises MalformedEvent, Refused."""
    answer = _read(event, StockRejected)
    try:
        reject_order(order_id=answer.order_id, reason=answer.reason)
    except UnknownOrder:
        raise PermanentFailure("there is no such order") from None


def on_user_deleted(event: Event) -> None:
    """Anonymise the orders. Raises MalformedEvent."""
    user = event.read(UserDeleted)
    _require_key(event, user.id)
    forget_customer(user_id=user.id)


def on_user_revocation(event: Event) -> None:
    """Store it, for the web processes to read. Raises MalformedEvent."""
    ended = event.read(UserRevocation)
    _require_key(event, ended.user_id)
    store_revocation(Revocation(ended.user_id, ended.sid, ended.not_before))


def on_mail_sent(event: Event) -> None:
    """Keep that a mail about an order went out. Raises MalformedEvent."""
    mail = event.read(MailSent)
    try:
        mailed = str(ULID.from_str(event.subject))
    except ValueError:
        raise MalformedEvent("the key is no event's id") from None
    if mail.order_id:
        renew_connection()
        keep_sent_mail(event_id=mailed, kind=mail.kind, order_id=mail.order_id, sent_at=mail.sent_at)


HANDLERS: Mapping[str, Mapping[str, Handler]] = {
    CATALOGUE_GROUP: dict.fromkeys(CATALOGUE, follow_product),
    STOCK_GROUP: {StockReserved.topic: on_stock_reserved, StockRejected.topic: on_stock_rejected},
    USERS_GROUP: {UserDeleted.topic: on_user_deleted, UserRevocation.topic: on_user_revocation},
    MAILS_GROUP: {MailSent.topic: on_mail_sent},
}
"""Each group's handlers by topic."""


def make_consumers(brokers: str) -> list[EventConsumer]:
    """A member of each group."""
    catalogue = EventConsumer(brokers, CATALOGUE_GROUP, HANDLERS[CATALOGUE_GROUP], unavailable=UNAVAILABLE_ERRORS)
    stock = EventConsumer(
        brokers, STOCK_GROUP, HANDLERS[STOCK_GROUP], unavailable=UNAVAILABLE_ERRORS, threads=STOCK_THREADS
    )
    users = EventConsumer(brokers, USERS_GROUP, HANDLERS[USERS_GROUP], unavailable=UNAVAILABLE_ERRORS)
    mails = EventConsumer(brokers, MAILS_GROUP, HANDLERS[MAILS_GROUP], unavailable=UNAVAILABLE_ERRORS)
    return [catalogue, stock, users, mails]


def _read(event: Event, model: type[Answer]) -> Answer:
    answer = event.read(model)
    _require_key(event, answer.order_id)
    return answer


def _require_key(event: Event, key: str) -> None:
    if key != event.subject:
        raise MalformedEvent("the key is another one")
    renew_connection()  # the server may have been away since the last event
