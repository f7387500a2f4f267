"""The use case: which mails are skipped, and what the ledger gets of those that are sent."""

from datetime import UTC, datetime, timedelta

import pytest

from libs.messaging.envelope import Event
from notification_service.api.sample_data import LINK, ORDER
from notification_service.use_cases.send_mail import SendMail

EVENT = Event("01K00000000000000000000000", "order-placed", "a", 1, "", {})


class Mailer:
    def __init__(self):
        self.mails = []

    def send(self, mail):
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
    return SendMail(composer=composer, mailer=Mailer(), ledger=Ledger(), accounts=Accounts())


def send(send_mail, content, *, kind="order-placed", recipient="ada@example.com", user_id="ada"):
    send_mail(EVENT, kind=kind, recipient=recipient, user_id=user_id, content=content)
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
