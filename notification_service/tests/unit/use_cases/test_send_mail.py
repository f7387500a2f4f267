"""The use case: which mails are skipped, and what the ledger gets of those that are sent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.messaging.envelope import Event
from libs.runtime.steps import Steps
from libs.runtime.telemetry.trace_context import TraceContext
from notification_service.api.sample_data import LINK, ORDER
from notification_service.domain.failures import Fenced
from notification_service.store.recipient_limit import RecipientLimit
from notification_service.use_cases.send_mail import NoFence, SendMail

EVENT = Event("01K00000000000000000000000", "order-placed", "a", 1, "", {})


class Mailer:
    smtp_seconds = 15.0

    def __init__(self):
        self.mails = []

    def send(self, mail, before_dot):
        before_dot()
        self.mails.append(mail)


class Ledger:
    def __init__(self):
        self.sent = []

    def send_once(self, _event, send):
        self.sent.append(send())


class Accounts:
    def is_deleted(self, user_id):
        return user_id == "deleted"


@pytest.fixture
def send_mail(composer):
    return SendMail(
        composer=composer,
        mailer=Mailer(),
        ledger=Ledger(),
        accounts=Accounts(),
        limit=RecipientLimit(b"key", (2, 3600.0)),
        late_answers=None,
        fence=NoFence(),
        steps=Steps(),
    )


def send(
    send_mail, content, *, kind="order-placed", recipient="ada@example.com", user_id="ada", event=EVENT, limited=False
):
    send_mail(event, kind=kind, recipient=recipient, user_id=user_id, content=content, limited=limited)
    return send_mail.mailer.mails


def test_a_mail_is_sent_and_the_ledger_gets_its_record(send_mail):
    (mail,) = send(send_mail, ORDER)
    assert (mail.kind, mail.recipient, mail.order_id) == ("order-placed", "ada@example.com", ORDER.order_id)
    (sent,) = send_mail.ledger.sent
    assert (sent.event_id, sent.kind, sent.order_id) == (EVENT.id, "order-placed", ORDER.order_id)


def test_a_mail_without_a_recipient_is_skipped(send_mail):
    assert send(send_mail, ORDER, recipient=None) == []


def test_a_mail_to_a_deleted_account_is_skipped(send_mail):
    assert send(send_mail, ORDER, user_id="deleted") == []


@pytest.mark.parametrize(("seconds", "count"), [(65, 1), (55, 0), (-1, 0)])
def test_a_link_that_expires_within_a_minute_is_skipped(send_mail, seconds, count):
    link = type(LINK)(username="ada", token="t" * 20, expires_at=datetime.now(UTC) + timedelta(seconds=seconds))
    assert len(send(send_mail, link, kind="password-reset")) == count


def event(number):
    return replace(EVENT, id=f"01K0000000000000000000000{number}")


def test_mails_to_an_address_that_was_never_verified_are_suppressed_beyond_the_limit(send_mail):
    for number in range(4):
        send(send_mail, ORDER, event=event(number), limited=True, recipient="Ada@example.com")
    send(send_mail, ORDER, event=event(5), limited=True, recipient="grace@example.com")
    send(send_mail, ORDER, event=event(6), limited=False, recipient="ada@example.com")
    assert [mail.recipient.lower()[:3] for mail in send_mail.mailer.mails] == ["ada", "ada", "gra", "ada"]
    records = send_mail.ledger.sent
    assert [record.outcome for record in records] == ["sent", "sent", "suppressed", "suppressed", "sent", "sent"]
    assert [bool(record.counted_for) for record in records] == [True, True, False, False, True, False]
    assert "ada" not in str(records[0].counted_for).lower()


def test_a_mail_that_is_tried_again_counts_once(send_mail):
    for _ in range(5):
        send(send_mail, ORDER, limited=True)
    assert {record.outcome for record in send_mail.ledger.sent} == {"sent"}


class Closed:
    """A fence that lets no mail pass."""

    def pass_(self, topic, partition):
        raise Fenced(f"{topic}/{partition}")


def test_a_mail_that_does_not_pass_the_fence_has_no_record(send_mail):
    with pytest.raises(Fenced, match="order-placed/0"):
        send(replace(send_mail, fence=Closed()), ORDER)
    assert (send_mail.mailer.mails, send_mail.ledger.sent) == ([], [])


def test_a_mail_has_the_trace_of_its_event(send_mail):
    trace = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
    (mail,) = send(send_mail, ORDER, event=replace(EVENT, trace=trace))
    assert mail.trace_id == trace.trace_id
