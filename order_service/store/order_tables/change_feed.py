"""The feed of changes: each change record gets a number after its commit, so no number appears below one that was read.

Ids are given before the commit, and transactions commit in another order. So ids can't be a cursor. The numbers are given here,
under a lock, to records that are committed already. A record of an open transaction gets a higher number later. docs/adr/0039.
"""

from django.db import transaction
from django.db.models import BigIntegerField, F, Max, Value

from order_service.domain.feed_entry import FeedEntry
from order_service.domain.order_status import Status
from order_service.store import models
from order_service.store.order_tables import orders

BATCH_SIZE = 1000  # ten of the largest pages


def number_changes() -> None:
    """Number up to BATCH_SIZE committed changes, in the sequence of their ids. One query when there are none.

    An open transaction is not waited for: its records are neither read nor locked.
    """
    unnumbered = models.OrderChange.objects.filter(number=None).order_by("id")
    if not unnumbered.exists():
        return
    with transaction.atomic():
        feed, _ = models.ChangeFeed.objects.select_for_update().get_or_create(pk=1, defaults={"last_number": 0})
        ids = list(unnumbered.values_list("id", flat=True)[:BATCH_SIZE])  # read committed: after the lock
        if not ids:
            return
        highest = models.OrderChange.objects.aggregate(highest=Max("number"))["highest"] or 0
        first = max(feed.last_number, highest) + 1
        shift = Value(first - ids[0], output_field=BigIntegerField())
        models.OrderChange.objects.filter(id__in=ids).update(number=F("id") + shift)
        models.ChangeFeed.objects.filter(pk=1).update(last_number=first + ids[-1] - ids[0])


def was_given(number: int) -> bool:
    """Whether a change has, or had, this number. One query for a change that is there, else two."""
    if models.OrderChange.objects.filter(number=number).exists():
        return True
    return models.ChangeFeed.objects.filter(last_number__gte=number).exists()


def read_after(number: int, *, limit: int) -> list[FeedEntry]:
    """The next entries after this number. Three queries, one when there are none."""
    changes = list(models.OrderChange.objects.filter(number__gt=number).order_by("number")[:limit])
    wanted = models.Order.objects.filter(id__in={change.order_id for change in changes})
    found = {order.id: order for order in orders.read(wanted)} if changes else {}
    return [
        FeedEntry(
            number=change.number or 0,
            at=change.at,
            before=Status(change.from_status) if change.from_status else None,
            after=Status(change.to_status),
            order=found[change.order_id],
        )
        for change in changes
    ]
