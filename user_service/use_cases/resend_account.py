"""Publish an account again, for a service that does not know it."""

from libs.mongo_store.transactions import until_written
from libs.runtime.logs import get_logger
from user_service.events.published import UserDeleted, UserUpdated
from user_service.store import user_events, users

log = get_logger(__name__)


@until_written
def resend_account(*, user_id: str) -> bool | None:
    """Publish the account as it is now, or its deletion. Without such an account publish nothing."""
    user = users.find_any(user_id)
    if user is None:
        log.warning("account not resent: there is none with this id", user=user_id)
        return True
    event = UserDeleted.of(user) if user.deleted_at else UserUpdated.of(user)
    return True if user_events.publish(user, event) else None
