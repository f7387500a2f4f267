"""The topics this service needs: what it publishes, what it consumes, and where it puts what it can't handle."""

from typing import Any

from chassis.kafka import dead_letter_settings
from contracts import topic_settings
from order_service.events import EVENT_OF

CATALOGUE_GROUP = "order-service-catalogue"
CATALOGUE = ("product-created", "product-updated", "product-deleted")


def topics() -> dict[str, dict[str, Any]]:
    """All of them, with their settings."""
    consumed = topic_settings(*CATALOGUE)
    published = topic_settings(*(event.topic for event in EVENT_OF.values()))
    return published | consumed | dead_letter_settings(consumed, CATALOGUE_GROUP)
