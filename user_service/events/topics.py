"""The topics of user_service: what it publishes, what it consumes, and its dead-letter topics."""

from contracts import topic_settings
from libs.messaging.kafka.topics import Topics, dead_letter_settings
from user_service.events.consumed import UserLinkRequested, UserResendRequested
from user_service.events.published import (
    UserDeleted,
    UserMailRequested,
    UserNoticeRequested,
    UserRegistered,
    UserRevocations,
    UserUpdated,
)

GROUP = "user-service"
PUBLISHED = (UserRegistered, UserUpdated, UserDeleted, UserMailRequested, UserNoticeRequested, UserRevocations)
CONSUMED = (UserLinkRequested, UserResendRequested)


def topics() -> Topics:
    """The settings of each topic, by its name."""
    consumed = topic_settings(*(event.topic for event in CONSUMED))
    return topic_settings(*(event.topic for event in PUBLISHED)) | consumed | dead_letter_settings(consumed, GROUP)
