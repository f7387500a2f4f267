"""An operator publishes the deletion of each deleted account again, for services that lost it by an older copy."""

from libs.messaging.envelope import repeatable_id
from user_service.events.published import UserDeleted
from user_service.store import user_events, users

BATCH_SIZE = 500  # accounts per query


def republish_deleted() -> int:
    """Store a user-deleted event for each deleted account, with the same id each time. Return their number."""
    count, last = 0, None
    while found := users.find_deleted(after=last, limit=BATCH_SIZE):
        for user in found:
            event = UserDeleted.of(user)
            user_events.publish_again(
                user.id, {repeatable_id(user.deleted_at or user.updated_at, event.topic, user.id): event}
            )
        count, last = count + len(found), found[-1].id
    return count
