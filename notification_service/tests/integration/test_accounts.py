"""Links with tokens, deleted accounts and revoked tokens, with a real broker and a real SMTP sink."""

import secrets
import time

import pytest
from confluent_kafka import Consumer, TopicPartition

from libs.access.revocations import Revocations
from libs.messaging.topics import dead_letter_topic
from notification_service.store.accounts import AccountView
from notification_service.tests.integration.world import wait_until

LATER, PAST = "2126-01-31T12:00:00.000Z", "2026-01-31T12:00:00.000Z"


@pytest.fixture
def user_id():
    return secrets.token_hex(12)


def request(person, user_id, **changes):
    data = {"kind": "reset", "userId": user_id, "email": person.email, "username": person.username}
    return data | {"token": secrets.token_urlsafe(32), "expiresAt": LATER} | changes


def delete(shop, user_id):
    shop.publish("user-deleted", {"id": user_id, "deletedAt": PAST}, user_id)


def test_the_link_of_an_event_is_in_its_mail(shop, consumer, smtp_sink, person, user_id):
    data = request(person, user_id)
    shop.publish("user-mail-requested", data, user_id)
    [mail] = smtp_sink.wait(person.email)
    assert mail.subject == "Reset your password"
    assert f"/password-reset?token={data['token']}" in mail.part("plain")


def test_an_expired_link_has_no_mail(shop, consumer, smtp_sink, person, user_id):
    shop.publish("user-mail-requested", request(person, user_id, expiresAt=PAST), user_id)
    shop.publish("user-mail-requested", request(person, user_id, kind="verify"), user_id)
    smtp_sink.wait(person.email)
    assert [mail.subject for mail in smtp_sink.to(person.email)] == ["Verify your e-mail address"]


def test_the_dead_letter_of_a_link_holds_its_id_and_the_reason_alone(shop, consumer, kafka, person, user_id, capfd):
    token = f"canary-{secrets.token_hex(12)}"
    event_id = shop.publish("user-mail-requested", request(person, user_id, token=token, kind="steal"), user_id)
    reader = Consumer({"bootstrap.servers": kafka, "group.id": secrets.token_hex(4), "log_level": 2})
    topic = dead_letter_topic("user-mail-requested", "notification-service")
    reader.assign([TopicPartition(topic, p, 0) for p in range(3)])
    letters = wait_until(lambda: reader.consume(1, 0.5))  # a message without a value counts as false
    reader.close()
    [letter] = letters
    headers = dict(letter.headers())
    assert (letter.value(), letter.key()) == (None, None)
    assert {name for name in headers if not name.startswith("x-")} == {"ce_id"}
    assert headers["ce_id"].decode() == event_id
    assert b"kind" in headers["x-reason"]
    shown = str(headers) + "".join(capfd.readouterr())
    for secret in (token, person.email, user_id):
        assert secret not in shown


def test_no_mail_is_sent_to_a_deleted_account(shop, consumer, smtp_sink, person, user_id):
    delete(shop, user_id)
    wait_until(lambda: consumer.accounts.status()["gone"])
    shop.step("order-shipped", person, userId=user_id)
    shop.step("order-cancelled", person, userId=user_id, userEmail=None)
    shop.step("order-delivered", person, userId="f" * 24)
    smtp_sink.wait(person.email)
    wait_until(consumer.settled)
    assert len(smtp_sink.to(person.email)) == 1


def test_deletions_and_revocations_before_the_start_are_known_before_the_first_mail(shop, kafka, user_id):
    delete(shop, user_id)
    now = round(time.time() * 1000)
    shop.publish("user-revocations", {"userId": user_id, "sid": None, "notBefore": now}, user_id)
    shop.publish("user-revocations", {"userId": user_id, "sid": None, "notBefore": "soon"}, user_id)
    revocations = Revocations()
    accounts = AccountView(kafka, revocations)
    accounts.load()
    assert accounts.status()["complete"]
    assert revocations.ended(user_id, None, now - 1)
    assert not revocations.ended(user_id, None, now)
