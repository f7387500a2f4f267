"""An operator publishes the revocations of the last hour again, after a loss of Kafka's data. Older ones end no valid token."""

from collections import defaultdict
from datetime import UTC, datetime

from libs.messaging.envelope import EventData, repeatable_id
from user_service.events.published import UserRevocations
from user_service.store import user_events


def republish_revocations() -> int:
    """Store the events again, each with the same id each time. Return their number."""
    by_user: dict[str, dict[str, EventData]] = defaultdict(dict)
    for one in user_events.find_revocations():
        event = UserRevocations(user_id=one.user_id, sid=one.sid, not_before=one.not_before)
        at = datetime.fromtimestamp(one.not_before / 1000, UTC)
        by_user[one.user_id][repeatable_id(at, event.topic, one.user_id, one.sid or "", str(one.not_before))] = event
    for user_id, events in by_user.items():
        user_events.publish_again(user_id, events)
    return sum(len(events) for events in by_user.values())
