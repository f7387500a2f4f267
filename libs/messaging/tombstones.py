"""Tombstones: records without a value on compacted topics.

No service publishes one for an event. An operator who removes a record by Kafka's own tools does. The effect of an event stays,
such as the deletion of an account. So a tombstone is ignored. On a topic that is not compacted a record without a value is an
event that got lost, and it is dead-lettered. A consumer of batches passes none to its handler.
"""

from collections.abc import Mapping
from functools import wraps
from typing import Any

from libs.messaging.envelope import Event
from libs.messaging.handlers import Handler
from libs.runtime.logs import get_logger

log = get_logger(__name__)


def compacted_topics(settings: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Those of the topics with these settings that are compacted."""
    return frozenset(topic for topic, one in settings.items() if "compact" in one["config"]["cleanup.policy"])


def ignore_tombstones(
    handlers: Mapping[str, Handler], settings: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Handler]:
    """The handlers by topic. Those of compacted topics ignore tombstones. `settings`: the topics' settings."""
    compacted = compacted_topics(settings)
    return {topic: _ignoring(handler) if topic in compacted else handler for topic, handler in handlers.items()}


def _ignoring(handler: Handler) -> Handler:
    @wraps(handler)
    def handle(event: Event) -> None:
        if event.is_tombstone:
            log.info("tombstone ignored", topic=event.type)
        else:
            handler(event)

    return handle
