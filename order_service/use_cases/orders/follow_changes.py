"""Follow the changes of all orders: the next entries of the feed.

It is a use case and no query, because it numbers the changes that were committed since the last call.
"""

from order_service.domain.feed_entry import FeedEntry
from order_service.store.order_tables import change_feed


def follow_changes(*, after: int, limit: int) -> list[FeedEntry]:
    """The next `limit` changes after the one with this number, the oldest first. 0: from the beginning."""
    change_feed.number_changes()
    return change_feed.read_after(after, limit=limit)
