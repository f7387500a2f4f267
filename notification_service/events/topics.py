"""The topics that notification_service consumes and publishes, and its group."""

from contracts import TopicSettings, topic_settings
from libs.messaging.topics import dead_letter_settings
from notification_service.events.published import MailSent
from notification_service.store.accounts import TOPICS as FOLLOWED
from notification_service.worker.handlers import HANDLERS

GROUP = "notification-service"


def topics() -> dict[str, TopicSettings]:
    """The topics this service needs, with their settings."""
    consumed = topic_settings(*HANDLERS)
    return consumed | topic_settings(MailSent.topic, *FOLLOWED) | dead_letter_settings(consumed, GROUP)
