"""The topics of this service: what it publishes, what it consumes, and its dead-letter topics."""

from contracts import topic_settings
from libs.messaging.kafka.topics import Topics, dead_letter_settings
from product_service.events.consumed import (
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    StockReleaseRequested,
    UserRevocation,
)
from product_service.events.published import PRODUCT_EVENTS, STOCK_EVENTS, StockHeld

GROUP = "product-service"
USERS_GROUP = "product-service-users"
PUBLISHED = (*PRODUCT_EVENTS, *STOCK_EVENTS, StockHeld)
CONSUMED = (OrderPlaced, OrderCancelled, OrderDelivered, StockReleaseRequested)
GROUPS = {GROUP: tuple(event.topic for event in CONSUMED), USERS_GROUP: (UserRevocation.topic,)}
"""The topics of each group."""


def topics() -> Topics:
    """The settings of each topic, by its name."""
    published = topic_settings(*(event.topic for event in PUBLISHED))
    consumed = topic_settings(*(event.topic for event in CONSUMED))
    users = topic_settings(UserRevocation.topic)
    return (
        published | consumed | users | dead_letter_settings(consumed, GROUP) | dead_letter_settings(users, USERS_GROUP)
    )
