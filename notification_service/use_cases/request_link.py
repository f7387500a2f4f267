"""Request a new link in place of one whose mail was dead-lettered."""

from dataclasses import dataclass
from datetime import UTC, datetime

from libs.messaging.envelope import Event
from libs.runtime.logs import get_logger
from libs.values.times import rfc3339
from notification_service.events.consumed import LostLink
from notification_service.events.published import UserLinkRequested
from notification_service.store.accounts import AccountView
from notification_service.store.link_requests import LinkRequests

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLink:
    """The use case with what it works on."""

    accounts: AccountView
    links: LinkRequests

    def __call__(self, event: Event) -> None:
        """Request a link for the dead letter of a user-mail-requested. user_service answers if the link is still needed.

        A deleted account needs none. Raises MalformedEvent, and ServerUnavailable.
        """
        lost = event.read(LostLink)
        if self.accounts.is_deleted(lost.user_id):
            log.info("link not requested", reason="account deleted")
            return
        now = rfc3339(datetime.now(UTC))
        self.links.add(UserLinkRequested(user_id=lost.user_id, kind=lost.kind, event_id=event.id, requested_at=now))
