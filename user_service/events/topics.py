"""The topics that user_service publishes."""

from contracts import topic_settings
from libs.messaging.topics import Topics
from user_service.events.published import UserDeleted, UserMailRequested, UserRegistered, UserRevocations, UserUpdated

PUBLISHED = (UserRegistered, UserUpdated, UserDeleted, UserMailRequested, UserRevocations)


def topics() -> Topics:
    """The topics by name, with their settings."""
    return topic_settings(*(event.topic for event in PUBLISHED))
