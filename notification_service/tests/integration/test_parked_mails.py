"""Mails that are put off or in doubt: each is parked, tried again, and delays no other mail but those of its order."""

import secrets
import threading
import time
from collections import Counter

import pytest

from libs.runtime.health import CheckFailed
from notification_service.domain import parked_mail
from notification_service.store.parked_mails import ParkedMails
from notification_service.tests.integration.world import Person, RunningConsumer, link, wait_until
from notification_service.worker import parked_mails as sender_module

STEPS = ("order-placed", "order-confirmed", "order-shipped", "order-delivered")
SUBJECTS = ["Order Confirmation - #", "is reserved", "is on its way", "was delivered"]


def subject_of(mail):
    return next(subject for subject in SUBJECTS if subject in mail.subject)


@pytest.fixture(autouse=True)
def empty(kafka):
    """Settle the mails that a test leaves parked: all tests share the topic."""
    yield
    parked, stop = ParkedMails(kafka, limit=1), threading.Event()
    reader = threading.Thread(target=parked.run, args=[stop])
    reader.start()
    ends = parked.ends()
    wait_until(lambda: parked.has_read(ends))
    while heads := parked.heads():
        for mail in heads:
            parked.settle(mail.event_id)
    stop.set()
    reader.join()
    parked.close()


@pytest.fixture
def quick(config, monkeypatch):
    """A configuration whose pauses are short. `vary` does nothing."""
    monkeypatch.setattr(parked_mail, "vary", lambda seconds: seconds)
    monkeypatch.setattr(sender_module, "TURN_SECONDS", 0.02)
    monkeypatch.setattr(sender_module, "REFUSED_SECONDS", 0.05)
    return config.model_copy(
        update={
            "mail_retry_pauses": (0.2,),
            "mail_retry_hours": 24 * 3600.0,
            "mail_doubt_pauses": (0.2, 0.3),
            "mail_answer_seconds": 5.0,
        }
    )


def slow(config):
    """`config` with pauses that no test waits for."""
    return config.model_copy(update={"mail_retry_pauses": (3600.0,), "mail_doubt_pauses": (3600.0, 3600.0)})


def parked(consumer):
    return consumer.worker.parked.figures()["parked"]


def people(count):
    tag = secrets.token_hex(4)
    return [Person(f"u{tag}-{number}", f"u{tag}-{number}@example.com") for number in range(count)]


@pytest.mark.parametrize("mode", ["450", "rcpt-421", "rcpt-drop", "dot-450", "dot-421"])
def test_a_mail_that_is_put_off_is_sent_once_when_the_server_takes_it(quick, kafka, shop, smtp_sink, person, mode):
    smtp_sink.modes[person.email] = mode
    with RunningConsumer(quick) as consumer:
        shop.register(person)
        wait_until(lambda: smtp_sink.tried.count(person.email) >= 3)
        assert parked(consumer) == 1
        wait_until(lambda: consumer.status()["lag"] == 0)
        assert consumer.worker.check_smtp()["oldestParkedSeconds"] < 20
        smtp_sink.modes[person.email] = "ok"
        smtp_sink.wait(person.email)
        wait_until(lambda: parked(consumer) == 0)
        assert consumer.worker.check_smtp()["oldestParkedSeconds"] is None
    assert len(smtp_sink.to(person.email)) == 1
    shop.rewind()
    with RunningConsumer(quick) as consumer:
        wait_until(consumer.settled)
    assert len(smtp_sink.to(person.email)) == 1


def p95(shop, smtp_sink, others, later=()):
    """The 95th percentile of the seconds from an event to its mail at `others`, with the events of `later` among theirs."""
    published = {}
    for number, person in enumerate(others):
        for put_off in later[number : number + 1]:
            shop.step("order-placed", put_off, key=put_off.username)
        shop.step("order-placed", person, key=person.username)
        published[person.email] = time.time()
    seconds = sorted(smtp_sink.wait(person.email)[0].at - published[person.email] for person in others)
    return seconds[int(0.95 * len(seconds))]


def test_fifty_recipients_that_are_put_off_delay_no_other_mail_by_two_seconds(config, kafka, shop, smtp_sink):
    smtp_sink.seconds_a_mail = 0.01
    later = people(50)
    smtp_sink.modes = {person.email: "450" for person in later}
    with RunningConsumer(config) as consumer:
        alone = p95(shop, smtp_sink, people(60))
        assert p95(shop, smtp_sink, people(60), later) - alone <= 2
        wait_until(lambda: parked(consumer) == 50)
        assert consumer.status()["retrying"] is None
    assert not any(smtp_sink.to(person.email) for person in later)


def test_later_mails_of_an_order_wait_behind_and_keep_their_order(quick, kafka, shop, smtp_sink, person):
    smtp_sink.modes[person.email] = "450"
    with RunningConsumer(quick) as consumer:
        for number, step in enumerate(STEPS, 1):
            shop.step(step, person, key=person.username, sequence=number)
            wait_until(lambda: parked(consumer) == number)  # noqa: B023 -- called at once
        smtp_sink.modes[person.email] = "ok"
        mails = smtp_sink.wait(person.email, 4)
        wait_until(lambda: parked(consumer) == 0)
    assert [subject_of(mail) for mail in mails] == SUBJECTS


def test_a_restart_loses_no_parked_mail_and_doubles_none(quick, kafka, shop, smtp_sink, person):
    def own(consumer):
        return len(consumer.worker.parked._keys.get(person.username, ()))

    smtp_sink.modes[person.email] = "450"
    with RunningConsumer(slow(quick)) as consumer:
        for number, step in enumerate(STEPS, 1):
            shop.step(step, person, key=person.username, sequence=number)
            wait_until(lambda: own(consumer) == number)  # noqa: B023 -- called at once; a later step would be tried first
        wait_until(lambda: [(m.sequence, m.state) for m in consumer.worker.parked.heads()] == [(1, "later")])
    tried = smtp_sink.tried.count(person.email)
    shop.rewind()
    with RunningConsumer(slow(quick)) as consumer:
        wait_until(consumer.settled)
        assert own(consumer) == 4
        assert smtp_sink.tried.count(person.email) == tried  # not due yet
        (due,) = (mail for mail in consumer.worker.parked.heads() if mail.ordering_key == person.username)
        message = consumer.worker.parked.message_of(due)
        smtp_sink.modes[person.email] = "ok"
        consumer.worker.parked.put(due.stand_still("due now", 0), message)
        mails = smtp_sink.wait(person.email, 4)
        wait_until(lambda: own(consumer) == 0)
    assert [subject_of(mail) for mail in mails] == SUBJECTS
    assert len(smtp_sink.to(person.email)) == 4


def test_a_mail_that_is_put_off_for_too_long_is_a_dead_letter_and_the_next_one_is_sent(
    quick, kafka, shop, smtp_sink, person
):
    smtp_sink.modes[person.email] = "450"
    config = quick.model_copy(update={"mail_retry_hours": 0.5 / 3600})
    with RunningConsumer(config) as consumer:
        shop.step("order-placed", person, key=person.username, sequence=1)
        wait_until(lambda: parked(consumer) == 1)
        wait_until(lambda: parked(consumer) == 0)
        smtp_sink.modes[person.email] = "ok"
        shop.step("order-confirmed", person, key=person.username, sequence=2)
        assert [subject_of(mail) for mail in smtp_sink.wait(person.email)] == ["is reserved"]
    (letter,) = shop.dead_letters("order-placed", person.email.encode())
    headers = dict(letter.headers())
    assert headers["x-reason"] == b"the SMTP server deferred the recipient (450)"
    assert headers["x-attempts"] == b"3"  # two pauses of 0.2 s fit into 0.5 s
    assert headers["x-origin-topic"] == b"order-placed"
    assert "parked" not in headers


def test_a_mail_whose_answer_is_lost_is_repeated_twice_and_is_then_a_dead_letter_in_doubt(
    quick, kafka, shop, smtp_sink, person
):
    smtp_sink.modes[person.email] = "ack-lost"
    with RunningConsumer(quick) as consumer:
        shop.register(person)
        smtp_sink.wait(person.email, 3)
        wait_until(lambda: parked(consumer) == 0)
    mails = smtp_sink.to(person.email)
    assert (len(mails), len({mail.id for mail in mails})) == (3, 1)
    (letter,) = shop.dead_letters("user-registered", person.email.encode())
    assert dict(letter.headers())["x-reason"].startswith(b"in doubt: ")


def test_a_slow_answer_holds_no_other_mail_and_no_mail_is_repeated(quick, kafka, shop, smtp_sink, monkeypatch):
    monkeypatch.setattr(
        "notification_service.smtp.mailer.Mailer.send.__kwdefaults__", {"seconds": None, "patience": 0.1}
    )
    smtp_sink.seconds_a_mail = 1.0
    many = people(16)
    with RunningConsumer(quick) as consumer:
        began = time.monotonic()
        for person in many:
            shop.register(person)
        for person in many:
            smtp_sink.wait(person.email)
        assert time.monotonic() - began < 15  # one after the other would take 16 s
        wait_until(lambda: parked(consumer) == 0)
        wait_until(consumer.settled)
    assert Counter(mail.recipient for mail in smtp_sink.mails) == Counter(person.email for person in many)


def test_an_answer_that_never_comes_is_awaited_once_and_the_mail_is_repeated_after_a_restart(
    quick, kafka, shop, smtp_sink, person, monkeypatch
):
    monkeypatch.setattr(
        "notification_service.smtp.mailer.Mailer.send.__kwdefaults__", {"seconds": None, "patience": 0.1}
    )
    smtp_sink.seconds_a_mail = 60
    config = quick.model_copy(update={"mail_answer_seconds": 1.0, "mail_doubt_pauses": (5.0, 5.0)})
    with RunningConsumer(config) as consumer:
        shop.register(person)
        wait_until(lambda: parked(consumer) == 1)
        (mail,) = consumer.worker.parked.heads()
        assert (mail.state, mail.doubts) == ("doubt", 1)
        wait_until(lambda: consumer.status()["handled"])
    smtp_sink.seconds_a_mail = 0
    with RunningConsumer(config) as consumer:
        smtp_sink.wait(person.email)
        wait_until(lambda: parked(consumer) == 0)
    assert len(smtp_sink.to(person.email)) == 1


def test_no_link_is_sent_after_it_expires_and_no_mail_to_an_account_that_was_deleted(
    quick, kafka, shop, smtp_sink, person
):
    smtp_sink.behave("450")
    user_id, deleted = secrets.token_hex(12), people(1)[0]
    with RunningConsumer(quick) as consumer:
        shop.publish("user-mail-requested", link(person, 62), "a" * 24)
        shop.step("order-placed", deleted, key=deleted.username, userId=user_id)
        wait_until(lambda: parked(consumer) == 2)
        shop.publish("user-deleted", {"id": user_id, "deletedAt": "2026-01-31T12:00:00.000Z"}, user_id)
        wait_until(lambda: parked(consumer) == 0)
        smtp_sink.behave("ok")
        shop.register(person)
        assert [mail.subject[:7] for mail in smtp_sink.wait(person.email)] == ["Welcome"]
    assert smtp_sink.to(deleted.email) == []
    assert shop.dead_letters("user-mail-requested", b"reset") == []


def test_a_server_that_puts_off_everybody_is_unavailable_and_no_try_counts(quick, kafka, shop, smtp_sink):
    smtp_sink.behave("450")
    config = quick.model_copy(update={"mail_retry_hours": 0.5 / 3600})
    first, rest = people(4), people(8)
    with RunningConsumer(slow(config)) as consumer:
        for person in first:
            shop.register(person)
        wait_until(lambda: parked(consumer) == 0 and consumer.status()["deadLetters"] == 4)
    with RunningConsumer(config) as consumer:
        consumer.mailer._put_off |= {person.email for person in people(5)}
        for person in rest:
            shop.register(person)
        wait_until(lambda: parked(consumer) == 8)
        with pytest.raises(CheckFailed, match="puts off every recipient") as down:
            consumer.worker.check_smtp()
        assert down.value.details["parked"] == 8
        wait_until(lambda: min(smtp_sink.tried.count(person.email) for person in rest) >= 4)  # 2 would be the end
        assert {mail.tries for mail in consumer.worker.parked.heads()} == {0}
        smtp_sink.behave("ok")
        for person in rest:
            smtp_sink.wait(person.email)
        wait_until(lambda: parked(consumer) == 0)
        assert consumer.worker.check_smtp()["parked"] == 0
        assert consumer.status()["deadLetters"] == 0


def test_with_too_many_parked_mails_new_events_wait(quick, kafka, shop, smtp_sink):
    full, waiting = people(2), people(1)[0]
    smtp_sink.modes = {person.email: "450" for person in full}
    with RunningConsumer(slow(quick).model_copy(update={"mail_parked": 2})) as consumer:
        for person in full:
            shop.register(person)
        wait_until(lambda: parked(consumer) == 2)
        shop.register(waiting)
        wait_until(lambda: consumer.status()["retrying"])
        assert consumer.status()["retrying"]["reason"] == "too many mails are parked"
        assert smtp_sink.to(waiting.email) == []
        for mail in consumer.worker.parked.heads():
            consumer.worker.parked.settle(mail.event_id)
        smtp_sink.wait(waiting.email)


def test_logs_hold_no_address_and_no_token_of_a_parked_mail(quick, kafka, shop, smtp_sink, person, capfd):
    smtp_sink.modes[person.email] = "450"
    with RunningConsumer(slow(quick)) as consumer:
        shop.publish("user-mail-requested", link(person, 600), "a" * 24)
        wait_until(lambda: parked(consumer) == 1)
        (mail,) = consumer.worker.parked.heads()
        consumer.worker.parked.settle(mail.event_id)
    out, err = capfd.readouterr()
    assert "mail parked" in out + err
    assert person.email not in out + err
    assert "t" * 43 not in out + err
