"""Old records are deleted in batches, those of open orders stay."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType

from libs.values.times import now
from order_service.domain.order_id import new_id
from order_service.domain.order_status import Status
from order_service.store.models import MailRequest, Order, OrderChange, OutboxDead, SentMail
from order_service.store.order_tables import old_records
from order_service.worker.retention import purge

pytestmark = pytest.mark.django_db

DAYS = timedelta(days=1)


def order(age, status=Status.DELIVERED, changed=None):
    """An order that was placed that long ago, with one change and one request for a mail."""
    at = now() - age
    columns = {"user_id": "u", "user_email": "", "username": "gone-u", "currency": "USD", "total": 1, "sequence": 1}
    row = Order.objects.create(
        id=new_id(at), status=status, created_at=at, updated_at=now() - (changed or age), **columns
    )
    OrderChange.objects.create(order=row, to_status="pending", actor="saga", at=at)
    MailRequest.objects.create(event_id=new_id(at), order=row, kind="order-placed", actor="staff:1", at=at)
    return row.id


def mail(age):
    at = now() - age
    return SentMail.objects.create(event_id=new_id(at), kind="order-placed", order_id=new_id(at), sent_at=at).pk


def dead(age):
    at = now() - age
    columns = {"aggregate_id": "a", "sequence": 1, "payload": "{}", "headers": "{}", "reason": "r"}
    return OutboxDead.objects.create(event_id=new_id(at), topic="t", created_at=at, died_at=at, **columns).event_id


def test_the_changes_of_closed_orders_are_deleted_after_400_days():
    old, young = order(401 * DAYS), order(399 * DAYS)
    still_open, late = order(500 * DAYS, Status.SHIPPED), order(500 * DAYS, changed=DAYS)
    purge()
    assert set(OrderChange.objects.values_list("order_id", flat=True)) == {young, still_open, late}
    assert Order.objects.filter(pk=old).exists()


def test_mails_and_requests_for_mails_are_deleted_after_400_days():
    order(401 * DAYS)
    kept = order(399 * DAYS)
    mail(401 * DAYS)
    young = mail(399 * DAYS)
    purge()
    assert list(MailRequest.objects.values_list("order_id", flat=True)) == [kept]
    assert list(SentMail.objects.values_list("pk", flat=True)) == [young]


def test_refused_events_are_deleted_after_90_days():
    dead(91 * DAYS)
    young = dead(89 * DAYS)
    purge()
    assert list(OutboxDead.objects.values_list("event_id", flat=True)) == [young]


def test_the_desks_log_is_deleted_after_400_days():
    user = get_user_model().objects.create_user("staff")
    for age in (401, 399):
        entry = LogEntry.objects.create(
            user=user, content_type=ContentType.objects.first(), object_id=str(age), object_repr="x", action_flag=CHANGE
        )
        LogEntry.objects.filter(pk=entry.pk).update(action_time=now() - age * DAYS)
    purge()
    assert LogEntry.objects.get().object_id == "399"


def test_a_batch_is_bounded_and_says_that_more_is_left(monkeypatch):
    monkeypatch.setattr(old_records, "BATCH_SIZE", 2)
    for days in range(5):
        mail((401 + days) * DAYS)
    assert [old_records.purge() for _ in range(4)] == [2, 2, 1, 0]
