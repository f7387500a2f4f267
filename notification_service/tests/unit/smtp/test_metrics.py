"""The metrics of mails: what became of them, and the time from the order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from ulid import ULID

from notification_service.api.sample_data import SAMPLES
from notification_service.smtp.metrics import observe_sent


@pytest.fixture
def mail(composer):
    content = SAMPLES["usual"]["order-placed"]
    return composer.compose("order-placed", event_id="e1", recipient="ada@example.com", content=content)


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_the_time_of_a_mail_counts_from_the_order(mail):
    placed = ULID.from_datetime(datetime.now(UTC) - timedelta(seconds=90))
    before = (
        value("order_mail_seconds_sum", kind="order-placed"),
        value("order_mail_seconds_count", kind="order-placed"),
    )
    sent = value("mails_total", kind="order-placed", outcome="sent")
    observe_sent(replace(mail, order_id=str(placed)))
    assert value("order_mail_seconds_sum", kind="order-placed") - before[0] >= 89
    assert value("order_mail_seconds_count", kind="order-placed") == before[1] + 1
    assert value("mails_total", kind="order-placed", outcome="sent") == sent + 1


@pytest.mark.parametrize("order_id", [None, "", "Z" * 26, "no-order"])
def test_a_mail_without_a_readable_order_is_counted_and_has_no_time(mail, order_id):
    before, sent = (
        value("order_mail_seconds_count", kind="order-placed"),
        value("mails_total", kind="order-placed", outcome="sent"),
    )
    observe_sent(replace(mail, order_id=order_id))
    assert value("order_mail_seconds_count", kind="order-placed") == before
    assert value("mails_total", kind="order-placed", outcome="sent") == sent + 1


def test_a_step_that_waits_for_staff_has_no_time(mail):
    observe_sent(replace(mail, kind="order-shipped"))
    assert value("order_mail_seconds_count", kind="order-shipped") == 0
