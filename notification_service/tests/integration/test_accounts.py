"""Links with tokens, deleted accounts and revoked tokens, with a real broker and a real SMTP sink."""

import secrets
import time

import orjson
import pytest

from libs.access.revocations import Revocations
from libs.values.errors import Unavailable
from notification_service.store.accounts import AccountView
from notification_service.tests.integration.world import wait_until

ENVELOPE = {"ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_sequence", "content-type", "traceparent"}
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


def test_the_dead_letter_of_a_link_holds_id_reason_kind_and_account_alone(shop, consumer, person, user_id, capfd):
    token = f"canary-{secrets.token_hex(12)}"
    for kind, kept in (("T0ken/" * 9, {}), ("reset", {"kind": "reset"})):  # a kind that is none may be a secret
        data = request(person, user_id, token=token, kind=kind, expiresAt="soon")
        event_id = shop.publish("user-mail-requested", data, user_id)
        [letter] = wait_until(lambda: shop.dead_letters("user-mail-requested", event_id.encode()))  # noqa: B023 -- called at once
        headers = dict(letter.headers())
        assert (orjson.loads(letter.value()), letter.key()) == (kept | {"userId": user_id}, user_id.encode())
        assert {name for name in headers if not name.startswith("x-")} == ENVELOPE
        assert headers["ce_id"].decode() == event_id
        assert (b"kind" if kind == "steal" else b"expiresAt") in headers["x-reason"]
        shown = str(headers) + "".join(capfd.readouterr())
        assert user_id not in str(headers)  # log lines have it as the id of the aggregate
        for secret in (token, person.email, person.username):
            assert secret not in shown + str(letter.value())


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
    revocations = Revocations(is_empty=False)
    with pytest.raises(Unavailable):  # else a revoked token would be valid until they are read
        revocations.ended(user_id, None, now)
    accounts = AccountView(kafka, revocations)
    accounts.load()
    assert accounts.status()["complete"]
    assert revocations.ended(user_id, None, now - 1)
    assert not revocations.ended(user_id, None, now)
