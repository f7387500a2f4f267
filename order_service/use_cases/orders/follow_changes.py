"""Follow the changes of all orders: the next entries of the feed.

It is a use case and no query, because it numbers the changes that were committed since the last call.
"""

from libs.values.errors import Invalid
from order_service.domain.feed_entry import FeedEntry
from order_service.store.order_tables import change_feed


def follow_changes(*, after: int, limit: int) -> list[FeedEntry]:
    """The next `limit` changes after the one with this number, the oldest first. 0: from the beginning.

    Raises Invalid for a number that was not given yet: the client would wait for it, and miss the changes that get those below it.
    """
    change_feed.number_changes()
    entries = change_feed.read_after(after, limit=limit)
    if not entries and after and not change_feed.was_given(after):
        raise Invalid.field("after", "invalid-cursor", "The feed does not reach so far. Begin without a cursor")
    return entries
