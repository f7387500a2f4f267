"""Publish events again that Kafka refused, by staff."""

from collections.abc import Collection

from libs.access.caller import Caller
from order_service.store import dead_events
from order_service.store.outbox import outbox


def resend_dead_events(*, caller: Caller, event_ids: Collection[str]) -> int:
    """Move dead events back to the outbox, by staff; return how many the relay will publish. Raises NotAllowed.

    The reservation request of a decided order stays where it is: it needs no reply. product_service deletes closed reservations
    after 60 days, and would then reserve stock a second time.
    """
    caller.require("staff")
    return outbox.requeue(set(event_ids) - dead_events.find_settled_requests(event_ids))
