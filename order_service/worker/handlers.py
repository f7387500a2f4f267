"""The handler of each group: it reads the events of a batch, and calls the use cases that store their effect at once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from ulid import ULID

from contracts import topic_settings
from libs.access.revocations import Revocation
from libs.django_store.connection import renew_connection
from libs.django_store.failures import DjangoFailures
from libs.messaging.consumer.batch_consumer import BatchConsumer
from libs.messaging.consumer.batches import BatchHandler, Weigh, one_at_a_time, read_each, waking, weigh_full, weigh_one
from libs.messaging.envelope import Event, MalformedEvent
from libs.messaging.handlers import Handler
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.tombstones import compacted_topics, ignore_tombstones
from libs.messaging.tracing import continuing
from order_service.domain.customer import MailAddress
from order_service.domain.rejection import StockReply
from order_service.domain.sent_mail import SentMail
from order_service.events import consumed
from order_service.events.topics import CATALOGUE_GROUP, GROUPS, HELD_GROUP, MAILS_GROUP, STOCK_GROUP, USERS_GROUP
from order_service.store.catalogue import upsert_products
from order_service.use_cases.customers.apply_account_changes import apply_account_changes
from order_service.use_cases.customers.erase_customer import erase_customer
from order_service.use_cases.mails.record_sent_mails import record_sent_mails
from order_service.use_cases.orders.apply_stock_replies import apply_stock_replies
from order_service.use_cases.stock.compare_held_stock import compare_held_stock

NO_ORDER = "there is no such order"

Reasons = Mapping[str, str]
"""Why events are refused, by event id."""
UserChange = consumed.UserDeleted | MailAddress | Revocation


def on_products(events: Sequence[Event]) -> Reasons:
    """Update the catalogue: any product-* event is a snapshot of the product."""
    known, refused = read_each(events, _read_product)
    if known:
        upsert_products([product.to_product() for _, product in known])
    return refused


def on_stock_replies(events: Sequence[Event]) -> Reasons:
    """Confirm and reject orders, and note which cancelled ones hold no stock any more."""
    known, refused = read_each(events, _read_reply)
    if not known:
        return refused
    replies = [(event, reply) for event, reply in known if isinstance(reply, StockReply)]
    released = {reply for _, reply in known if isinstance(reply, str)}
    unknown = apply_stock_replies([reply for _, reply in replies], released=released).unknown
    return refused | {event.id: NO_ORDER for event, reply in replies if reply.order_id in unknown}


def on_held_stock(events: Sequence[Event]) -> Reasons:
    """Compare pages of reservations with the orders. Each page is a batch alone."""
    known, refused = read_each(events, _read_page)
    for event, page in known:
        with continuing(event):
            compare_held_stock(page.to_page())
    return refused


def on_accounts(events: Sequence[Event]) -> Reasons:
    """Keep addresses, store revocations, erase customers. A deletion is a batch alone: it writes in parts."""
    known, refused = read_each(events, _read_account)
    for event, change in known:
        if isinstance(change, consumed.UserDeleted):
            with continuing(event):
                erase_customer(user_id=event.subject)
    addresses = [(event.subject, change) for event, change in known if isinstance(change, MailAddress)]
    revocations = [change for _, change in known if isinstance(change, Revocation)]
    if addresses or revocations:
        apply_account_changes(addresses=addresses, revocations=revocations)
    return refused


def on_sent_mails(events: Sequence[Event]) -> Reasons:
    """Record what became of mails. Those that are not about an order are left out."""
    known, refused = read_each(events, _read_mail)
    if mails := [mail for _, mail in known if mail is not None]:
        record_sent_mails(mails)
    return refused


def weigh_account(event: Event) -> int:
    """A deletion is a batch alone."""
    return weigh_full(event) if event.type == consumed.UserDeleted.topic else weigh_one(event)


def _connected(handle: BatchHandler, events: Sequence[Event]) -> Reasons:
    renew_connection()  # the server may have been unavailable since the last batch
    return handle(events)


BATCHES: Mapping[str, BatchHandler] = {
    CATALOGUE_GROUP: partial(_connected, on_products),
    STOCK_GROUP: partial(_connected, on_stock_replies),
    HELD_GROUP: partial(_connected, on_held_stock),
    USERS_GROUP: partial(_connected, on_accounts),
    MAILS_GROUP: partial(_connected, on_sent_mails),
}
"""The handler of each group."""
WEIGHTS: Mapping[str, Weigh] = {USERS_GROUP: weigh_account, HELD_GROUP: weigh_full}
HANDLERS: Mapping[str, Mapping[str, Handler]] = {
    group: ignore_tombstones(dict.fromkeys(topics, one_at_a_time(BATCHES[group])), topic_settings(*topics))
    for group, topics in GROUPS.items()
}
"""The same for single events, by topic: a replay handles dead letters one by one."""


def make_consumers(brokers: Brokers, wake_relay: Callable[[], None]) -> list[BatchConsumer]:
    """A member of each group."""
    batches = {**BATCHES, STOCK_GROUP: waking(BATCHES[STOCK_GROUP], wake_relay)}
    return [
        BatchConsumer(
            brokers,
            group,
            topics,
            batches[group],
            failures=DjangoFailures(),
            weigh=WEIGHTS.get(group, weigh_one),
            compacted=compacted_topics(topic_settings(*topics)),
        )
        for group, topics in GROUPS.items()
    ]


def _read_product(event: Event) -> consumed.ProductSnapshot:
    product = event.read(consumed.ProductSnapshot)
    event.require_key(product.id)
    return product


def _read_reply(event: Event) -> StockReply | str:
    """The reply to an order, or the id of a cancelled order whose stock is released."""
    if event.type == consumed.StockReleased.topic:
        event.require_key(order_id := event.read(consumed.StockReleased).order_id)
        return order_id
    if event.type == consumed.StockRejected.topic:
        rejected = event.read(consumed.StockRejected)
        reply = StockReply(rejected.order_id, rejected.to_rejection(), event.traceparent)
    else:
        reply = StockReply(event.read(consumed.StockReserved).order_id, trace=event.traceparent)
    event.require_key(reply.order_id)
    return reply


def _read_page(event: Event) -> consumed.StockHeld:
    page = event.read(consumed.StockHeld)
    event.require_key(consumed.StockHeld.topic)
    return page


def _read_account(event: Event) -> UserChange:
    if event.type == consumed.UserRevocation.topic:
        ended = event.read(consumed.UserRevocation)
        event.require_key(ended.user_id)
        return Revocation(ended.user_id, ended.sid, ended.not_before)
    if event.type == consumed.UserDeleted.topic:
        deleted = event.read(consumed.UserDeleted)
        event.require_key(deleted.id)
        return deleted
    user = event.read(consumed.UserUpdated)
    event.require_key(user.id)
    return MailAddress(email=user.email, verified=user.email_verified, at=_time_of(event))


def _read_mail(event: Event) -> SentMail | None:
    """The mail of an event; None when it is not about an order."""
    mail = event.read(consumed.MailSent)
    try:
        event_id = str(ULID.from_str(event.subject))
    except ValueError:
        raise MalformedEvent("the key is no event's id") from None
    if not mail.order_id:
        return None
    return SentMail(
        event_id=event_id,
        kind=mail.kind,
        order_id=mail.order_id,
        sent_at=mail.sent_at,
        outcome=mail.outcome,
        trace_id=event.trace.trace_id if event.trace else "",
    )


def _time_of(event: Event) -> datetime:
    """When the event was stored. Raises MalformedEvent for a time that no table holds."""
    try:
        return datetime.fromisoformat(event.time).astimezone(UTC)
    except (ValueError, OverflowError):
        raise MalformedEvent("ce_time is no time") from None
