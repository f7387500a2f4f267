"""The topics that notification_service consumes and publishes, and its consumer group."""

from contracts import TopicSettings, topic_settings
from libs.messaging.topics import dead_letter_settings
from notification_service.events.consumed import (
    ORDER_TOPICS,
    MailResendRequested,
    UserDeleted,
    UserMailRequested,
    UserRegistered,
    UserRevocation,
)
from notification_service.events.published import MailSent

GROUP = "notification-service"

MAIL_TOPICS = (UserRegistered.topic, UserMailRequested.topic, *ORDER_TOPICS, MailResendRequested.topic)
"""Each of their events is one mail. The group consumes them."""

ACCOUNT_TOPICS = (UserRevocation.topic, UserDeleted.topic)
"""Every process reads them from their start, without a group."""


def topics() -> dict[str, TopicSettings]:
    """The topics that this service needs, with their settings."""
    consumed = topic_settings(*MAIL_TOPICS)
    return consumed | topic_settings(MailSent.topic, *ACCOUNT_TOPICS) | dead_letter_settings(consumed, GROUP)
