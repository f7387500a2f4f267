"""The topics that notification_service consumes and publishes, and its consumer group."""

from contracts import TopicSettings, topic_settings
from libs.messaging.kafka.clients import MAX_MESSAGE_BYTES
from libs.messaging.kafka.topics import dead_letter_settings
from notification_service.events.consumed import (
    ORDER_TOPICS,
    MailResendRequested,
    UserDeleted,
    UserMailRequested,
    UserNoticeRequested,
    UserRegistered,
    UserRevocation,
)
from notification_service.events.published import MailSent, UserLinkRequested

GROUP = "notification-service"

MAIL_TOPICS = (
    UserRegistered.topic,
    UserMailRequested.topic,
    UserNoticeRequested.topic,
    *ORDER_TOPICS,
    MailResendRequested.topic,
)
"""Each of their events is one mail. The group consumes them."""

ACCOUNT_TOPICS = (UserRevocation.topic, UserDeleted.topic)
"""Every process reads them from their start, without a group."""


SECRET_TOPICS = {UserMailRequested.topic: {"kind": "reset|verify", "userId": "[0-9a-f]{24}"}}
"""Topics whose events hold tokens, and the fields that their dead letters keep, each with its pattern."""

PARKED = "mail-parked"
"""The parked mails of this service. No other service reads it, so it has no schema."""

PARKED_SETTINGS: TopicSettings = {
    "partitions": 1,
    "config": {
        "cleanup.policy": "compact",
        "segment.ms": "3600000",
        "max.compaction.lag.ms": "3600000",
        "delete.retention.ms": "3600000",
        "min.cleanable.dirty.ratio": "0.01",
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
    },
}
"""Compacted, so that a mail's token and address vanish within about two hours after the mail is settled."""


def topics() -> dict[str, TopicSettings]:
    """The topics that this service needs, with their settings."""
    consumed = topic_settings(*MAIL_TOPICS)
    kept = topic_settings(MailSent.topic, UserLinkRequested.topic, *ACCOUNT_TOPICS) | {PARKED: PARKED_SETTINGS}
    return consumed | kept | dead_letter_settings(consumed, GROUP)
