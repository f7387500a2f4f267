"""The topics that user_service publishes."""

from typing import Any

from contracts import topic_settings
from user_service.events.published import UserDeleted, UserMailRequested, UserRegistered, UserRevocations, UserUpdated

PUBLISHED = (UserRegistered, UserUpdated, UserDeleted, UserMailRequested, UserRevocations)


def topics() -> dict[str, dict[str, Any]]:
    """The topics this service needs, with their settings."""
    return topic_settings(*(event.topic for event in PUBLISHED))
