"""An operator asks product_service again to release the stock of each cancelled order: its copy is older, or Kafka lost data.

The request is not the cancellation's own event: after the loss of its ledger notification_service would send a second mail.
"""

from datetime import datetime

from order_service.store.order_tables import orders

BATCH_SIZE = 500  # orders per statement


def republish_cancelled(*, since: datetime | None = None) -> int:
    """Store a stock-release-requested event for each order that was cancelled at `since` or later; None: for all.

    Each request has the same event id each time. Return their number.
    """
    count, last = 0, ""
    while ids := orders.request_releases_again(after=last, since=since, limit=BATCH_SIZE):
        count, last = count + len(ids), ids[-1]
    return count
