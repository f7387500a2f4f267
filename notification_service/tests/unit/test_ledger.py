"""The ledger's rule: one mail an event, whatever happens between the mail and its record."""

import pytest

from libs.messaging.envelope import Event
from libs.messaging.failures import PermanentFailure, ServerUnavailable
from notification_service.events.published import MailSent
from notification_service.store.mail_ledger import Ledger

EVENT = Event("01K00000000000000000000000", "order-placed", "a", 7, "", {}, partition=2)
SENT = MailSent(kind="order-placed", order_id="01K00000000000000000000001", sent_at="2026-01-31T12:00:00.000Z")


class Records:
    """Takes records, or none while it is `away`."""

    def __init__(self):
        self.unavailable, self.written = False, []

    def write(self, event, sent):
        if self.unavailable:
            raise ServerUnavailable("no Kafka broker")
        self.written.append((event, sent))


class Mails:
    """Sends mails, or fails with `error`."""

    def __init__(self):
        self.count, self.error = 0, None

    def __call__(self):
        if self.error:
            raise self.error
        self.count += 1
        return SENT


@pytest.fixture
def ledger():
    ledger = Ledger("nowhere")
    ledger._sent = {2: set()}
    ledger._records = Records()
    return ledger


@pytest.fixture
def mails():
    return Mails()


def test_a_mail_is_written_down_when_it_was_sent(ledger, mails):
    ledger.once(EVENT, mails)
    assert (mails.count, ledger._records.written) == (1, [(EVENT, SENT)])


def test_an_event_that_comes_again_is_not_mailed_again(ledger, mails):
    for _ in range(3):
        ledger.once(EVENT, mails)
    assert mails.count == len(ledger._records.written) == 1


def test_a_mail_whose_record_could_not_be_written_is_written_down_later_and_not_sent_again(ledger, mails):
    ledger._records.unavailable = True
    for _ in range(2):
        with pytest.raises(ServerUnavailable):
            ledger.once(EVENT, mails)
    ledger._records.unavailable = False
    ledger.once(EVENT, mails)
    ledger.once(EVENT, mails)
    assert mails.count == len(ledger._records.written) == 1


def test_what_another_process_mailed_meanwhile_needs_no_record_of_ours(ledger, mails):
    ledger._records.unavailable = True
    with pytest.raises(ServerUnavailable):
        ledger.once(EVENT, mails)
    ledger._records.unavailable = False
    ledger._sent[2].add(EVENT.id.encode())
    ledger.once(EVENT, mails)
    assert ledger._records.written == []
    assert ledger._unwritten == {}


def test_a_mail_that_was_not_sent_leaves_no_trace_and_is_sent_when_the_event_comes_again(ledger, mails):
    mails.error = PermanentFailure("no such mailbox")
    with pytest.raises(PermanentFailure):
        ledger.once(EVENT, mails)
    assert ledger._records.written == []
    mails.error = None
    ledger.once(EVENT, mails)
    assert mails.count == len(ledger._records.written) == 1


def test_nothing_is_mailed_before_the_ledger_of_its_partition_was_read(mails):
    with pytest.raises(KeyError):
        Ledger("nowhere").once(EVENT, mails)
    assert mails.count == 0
