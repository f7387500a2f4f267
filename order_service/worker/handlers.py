"""The handler of each consumed event: read the event, call one use case."""

from collections.abc import Mapping
from datetime import UTC, datetime

from ulid import ULID

from contracts import topic_settings
from libs.access.revocations import Revocation
from libs.django_store.connection import UNAVAILABLE_ERRORS, renew_connection
from libs.messaging.brokers import Brokers
from libs.messaging.consumer import EventConsumer
from libs.messaging.envelope import Event, MalformedEvent
from libs.messaging.failures import PermanentFailure
from libs.messaging.handler_pool import Handler
from libs.messaging.tombstones import ignore_tombstones
from order_service.domain.customer import MailAddress
from order_service.domain.errors import UnknownOrder
from order_service.domain.rejection import Rejection
from order_service.events.consumed import (
    MailSent,
    ProductSnapshot,
    StockHeld,
    StockRejected,
    StockReleased,
    StockReserved,
    UserDeleted,
    UserRevocation,
    UserUpdated,
)
from order_service.events.topics import CATALOGUE, CATALOGUE_GROUP, HELD_GROUP, MAILS_GROUP, STOCK_GROUP, USERS_GROUP
from order_service.store.catalogue import upsert_product
from order_service.store.customers import set_address
from order_service.store.worker_tables import stored_revocations
from order_service.use_cases.apply_stock_reply import apply_stock_reply
from order_service.use_cases.compare_held_stock import compare_held_stock
from order_service.use_cases.complete_release import complete_release
from order_service.use_cases.erase_customer import erase_customer
from order_service.use_cases.record_sent_mail import record_sent_mail

STOCK_THREADS = 2  # a transition waits for the database as long as it computes


def on_product_changed(event: Event) -> None:
    """Update the catalogue: any product-* event is a snapshot of the product. Raises MalformedEvent."""
    product = event.read(ProductSnapshot)
    _begin(event, product.id)
    upsert_product(product.to_product())


def on_stock_reserved(event: Event) -> None:
    """Confirm the order. Raises MalformedEvent, PermanentFailure."""
    _apply(event, event.read(StockReserved).order_id, rejection=None)


def on_stock_rejected(event: Event) -> None:
    """Reject the order. Raises MalformedEvent, PermanentFailure."""
    reply = event.read(StockRejected)
    _apply(event, reply.order_id, rejection=reply.to_rejection())


def on_stock_released(event: Event) -> None:
    """Note that the stock of a cancelled order is released. Raises MalformedEvent."""
    order_id = event.read(StockReleased).order_id
    _begin(event, order_id)
    complete_release(order_id=order_id)


def on_stock_held(event: Event) -> None:
    """Compare a page of reservations with the orders. Raises MalformedEvent."""
    page = event.read(StockHeld)
    _begin(event, StockHeld.topic)
    compare_held_stock(page.to_page())


def on_user_deleted(event: Event) -> None:
    """Erase the customer. Raises MalformedEvent."""
    user = event.read(UserDeleted)
    _begin(event, user.id)
    erase_customer(user_id=user.id)


def on_user_updated(event: Event) -> None:
    """Keep the address of an account that orders. Raises MalformedEvent."""
    user = event.read(UserUpdated)
    _begin(event, user.id)
    set_address(user.id, MailAddress(email=user.email, verified=user.email_verified, at=_time_of(event)))


def on_user_revocation(event: Event) -> None:
    """Store the revocation for the web processes. Raises MalformedEvent."""
    revocation = event.read(UserRevocation)
    _begin(event, revocation.user_id)
    stored_revocations.add(Revocation(revocation.user_id, revocation.sid, revocation.not_before))


def on_mail_sent(event: Event) -> None:
    """Record what became of a mail about an order. Raises MalformedEvent."""
    mail = event.read(MailSent)
    try:
        event_id = str(ULID.from_str(event.subject))
    except ValueError:
        raise MalformedEvent("the key is no event's id") from None
    if mail.order_id:
        renew_connection()
        record_sent_mail(
            event_id=event_id, kind=mail.kind, order_id=mail.order_id, sent_at=mail.sent_at, outcome=mail.outcome
        )


_BY_GROUP: Mapping[str, Mapping[str, Handler]] = {
    CATALOGUE_GROUP: dict.fromkeys(CATALOGUE, on_product_changed),
    STOCK_GROUP: {
        StockReserved.topic: on_stock_reserved,
        StockRejected.topic: on_stock_rejected,
        StockReleased.topic: on_stock_released,
    },
    HELD_GROUP: {StockHeld.topic: on_stock_held},
    USERS_GROUP: {
        UserDeleted.topic: on_user_deleted,
        UserUpdated.topic: on_user_updated,
        UserRevocation.topic: on_user_revocation,
    },
    MAILS_GROUP: {MailSent.topic: on_mail_sent},
}
HANDLERS: Mapping[str, Mapping[str, Handler]] = {
    group: ignore_tombstones(handlers, topic_settings(*handlers)) for group, handlers in _BY_GROUP.items()
}
"""Each group's handlers by topic."""
THREADS = {STOCK_GROUP: STOCK_THREADS}


def make_consumers(brokers: Brokers) -> list[EventConsumer]:
    """A member of each group."""
    return [
        EventConsumer(brokers, group, handlers, unavailable=UNAVAILABLE_ERRORS, threads=THREADS.get(group, 1))
        for group, handlers in HANDLERS.items()
    ]


def _apply(event: Event, order_id: str, *, rejection: Rejection | None) -> None:
    _begin(event, order_id)
    try:
        apply_stock_reply(order_id=order_id, rejection=rejection)
    except UnknownOrder:
        raise PermanentFailure("there is no such order") from None


def _time_of(event: Event) -> datetime:
    """When the event was stored. Raises MalformedEvent for a time that no table holds."""
    try:
        return datetime.fromisoformat(event.time).astimezone(UTC)
    except (ValueError, OverflowError):
        raise MalformedEvent("ce_time is no time") from None


def _begin(event: Event, key: str) -> None:
    event.require_key(key)
    renew_connection()  # the server may have been unavailable since the last event
