"""The topics that user_service publishes."""

from contracts import TopicSettings, topic_settings
from user_service.events.published import UserDeleted, UserMailRequested, UserRegistered, UserRevocations, UserUpdated

PUBLISHED = (UserRegistered, UserUpdated, UserDeleted, UserMailRequested, UserRevocations)


def topics() -> dict[str, TopicSettings]:
    """The topics this service needs, with their settings."""
    return topic_settings(*(event.topic for event in PUBLISHED))
