"""Records that are kept for a time: the changes of closed orders, mails, requests for mails, refused events, the desk's log.

Event ids and order ids are ULIDs, which begin with their time. So the old rows are a range of an index.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.contrib.admin.models import LogEntry
from django.db.models import Model, QuerySet

from libs.values.times import now
from order_service.domain.order_id import first_id
from order_service.domain.order_status import Status
from order_service.store.models import MailRequest, OrderChange, OutboxDead, SentMail

RECORD_RETENTION = timedelta(days=400)  # a year, and time to look back at it
DEAD_EVENT_RETENTION = timedelta(days=90)  # staff publish an event again soon, or never
BATCH_SIZE = 500  # rows per statement: a larger one would hold locks, and exceed the time limit of a statement
CLOSED = (Status.REJECTED, Status.DELIVERED, Status.CANCELLED)


def purge() -> int:
    """Delete old records, at most BATCH_SIZE of each kind. Return the largest number of a kind."""
    oldest, oldest_dead = now() - RECORD_RETENTION, now() - DEAD_EVENT_RETENTION
    closed = {"order__status__in": CLOSED, "order__updated_at__lt": oldest}
    return max(
        _delete(OrderChange, OrderChange.objects.filter(order_id__lt=first_id(oldest), **closed).order_by("order_id")),
        _delete(MailRequest, MailRequest.objects.filter(event_id__lt=first_id(oldest)).order_by("event_id")),
        _delete(SentMail, SentMail.objects.filter(event_id__lt=first_id(oldest)).order_by("event_id")),
        _delete(OutboxDead, OutboxDead.objects.filter(event_id__lt=first_id(oldest_dead)).order_by("event_id")),
        _delete(LogEntry, _first_entries(oldest)),
    )


def _first_entries(until: datetime) -> QuerySet[LogEntry]:
    """The entries of the log that are older, among the first ones: their ids follow their times, and no index has the times."""
    first = list(LogEntry.objects.order_by("id").values_list("id", "action_time")[:BATCH_SIZE])
    return LogEntry.objects.filter(pk__in=[key for key, at in first if at < until])


def _delete(table: type[Model], old: QuerySet[Model]) -> int:
    keys: Collection[object] = list(old.values_list("pk", flat=True)[:BATCH_SIZE])
    return table._default_manager.filter(pk__in=keys).delete()[0] if keys else 0
