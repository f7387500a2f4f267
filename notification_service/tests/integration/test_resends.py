"""Mails that staff send again: each request is one mail, and the ledger records its kind and its order."""

import secrets

import orjson
import pytest
from confluent_kafka import Consumer, TopicPartition

from notification_service.tests.integration.world import RunningConsumer, wait_until

ORDER = "01K00000000000000000000000"


@pytest.fixture
def record_of(kafka):
    """`record_of(event_id)`: the kind and the order in the record of an event's mail, as soon as it is in topic mail-sent."""
    reader = Consumer({"bootstrap.servers": kafka, "group.id": secrets.token_hex(4), "log_level": 2})

    def read(event_id):
        reader.assign([TopicPartition("mail-sent", p, 0) for p in range(3)])
        found = []

        def find():
            found.extend(m for m in reader.consume(100, 0.2) if not m.error() and m.key() == event_id.encode())
            return found

        wait_until(find)
        [message] = found
        data = orjson.loads(message.value())
        return data["kind"], data["orderId"]

    yield read
    reader.close()


def test_a_resent_mail_is_the_same_mail_with_a_message_id_of_its_own(shop, consumer, smtp_sink, person, record_of):
    event_id = shop.step("order-shipped", person)
    smtp_sink.wait(person.email)
    resend = shop.step("mail-resend-requested", person, kind="order-shipped")
    first, again = smtp_sink.wait(person.email, 2)
    assert again.subject == first.subject == f"Your order #{ORDER} is on its way"
    assert [again.part(kind) for kind in ("plain", "html")] == [first.part(kind) for kind in ("plain", "html")]
    assert again.id != first.id
    assert record_of(resend) == record_of(event_id) == ("order-shipped", ORDER)


def test_each_request_is_one_mail_however_often_it_is_published(config, kafka, shop, smtp_sink, person):
    data = {"orderId": ORDER, "userId": "a" * 24, "userEmail": person.email, "kind": "order-placed"}
    data |= {"username": person.username, "total": "1.00", "currency": "USD", "reason": None}
    data |= {"items": [{"name": "Lamp", "quantity": 1, "unitPrice": "1.00", "lineTotal": "1.00"}]}
    with RunningConsumer(config):
        for _ in range(2):
            shop.publish("mail-resend-requested", data, times=3)
        smtp_sink.wait(person.email, 2)
    events = shop.rewind()
    with RunningConsumer(config) as again:
        wait_until(lambda: again.status()["handled"] == events)
    mails = smtp_sink.to(person.email)
    assert len(mails) == len({mail.id for mail in mails}) == 2


def test_no_mail_is_resent_to_a_deleted_account(shop, consumer, smtp_sink, person):
    user_id = secrets.token_hex(12)
    shop.publish("user-deleted", {"id": user_id, "deletedAt": "2026-01-31T12:00:00.000Z"}, user_id)
    wait_until(lambda: consumer.accounts.status()["gone"])
    shop.step("mail-resend-requested", person, kind="order-placed", userId=user_id)
    shop.step("mail-resend-requested", person, kind="order-confirmed", userEmail=None)
    shop.step("mail-resend-requested", person, kind="order-delivered", userId="f" * 24)
    smtp_sink.wait(person.email)
    wait_until(consumer.settled)
    assert [mail.subject for mail in smtp_sink.to(person.email)] == [f"Your order #{ORDER} was delivered"]


@pytest.mark.parametrize("kind", ["password-reset", "test", "order-lost", "", None, 7])
def test_no_other_mail_can_be_resent(shop, consumer, smtp_sink, person, kind):
    shop.step("mail-resend-requested", person, kind=kind)
    wait_until(lambda: shop.dead_letters("mail-resend-requested", person.email.encode()))
    assert smtp_sink.to(person.email) == []
