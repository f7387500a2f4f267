"""The topics of the service: those it publishes, those it consumes, and their dead-letter topics."""

from contracts import TopicSettings, topic_settings
from libs.messaging.envelope import EventData
from libs.messaging.kafka.topics import dead_letter_settings
from order_service.events.consumed import (
    MailSent,
    StockHeld,
    StockRejected,
    StockReleased,
    StockReserved,
    UserDeleted,
    UserRevocation,
    UserUpdated,
)
from order_service.events.published import EVENT_OF, MailResendRequested, StockReleaseRequested, UserResendRequested

CATALOGUE_GROUP = "order-service-catalogue"
CATALOGUE = ("product-created", "product-updated", "product-deleted")
STOCK_GROUP = "order-service-stock"
STOCK = (StockReserved.topic, StockRejected.topic, StockReleased.topic)
HELD_GROUP = "order-service-reconcile"
HELD = (StockHeld.topic,)
USERS_GROUP = "order-service-users"
USERS = (UserDeleted.topic, UserUpdated.topic, UserRevocation.topic)
MAILS_GROUP = "order-service-mails"
MAILS = (MailSent.topic,)
GROUPS = {CATALOGUE_GROUP: CATALOGUE, STOCK_GROUP: STOCK, HELD_GROUP: HELD, USERS_GROUP: USERS, MAILS_GROUP: MAILS}


def topics() -> dict[str, TopicSettings]:
    """All topics with their settings."""
    requests = (MailResendRequested, UserResendRequested, StockReleaseRequested)
    published: tuple[type[EventData], ...] = (*EVENT_OF.values(), *requests)
    all_topics = topic_settings(*(event.topic for event in published))
    for group, names in GROUPS.items():
        consumed = topic_settings(*names)
        all_topics |= consumed | dead_letter_settings(consumed, group)
    return all_topics
