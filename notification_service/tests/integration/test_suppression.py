"""Mails to an address that was never verified are limited, also after a restart. Notices and links are not."""

import secrets

import orjson
import pytest
from confluent_kafka import Consumer, TopicPartition

from notification_service.tests.integration.world import RunningConsumer, link, wait_until

NOTICE = {"kind": "password-changed", "userId": "a" * 24, "occurredAt": "2026-01-31T12:00:00.000Z"}


@pytest.fixture
def limited(config):
    return config.model_copy(update={"rate_limit_mails": (3, 3600.0)})


def outcomes(kafka, event_ids):
    """The outcomes in the records of these events, as soon as all have one."""
    reader = Consumer({"bootstrap.servers": kafka, "group.id": secrets.token_hex(4), "log_level": 2})
    reader.assign([TopicPartition("mail-sent", partition, 0) for partition in range(3)])
    found = {}

    def read():
        records = [m for m in reader.consume(500, 0.2) if not m.error()]
        found.update({m.key().decode(): orjson.loads(m.value())["outcome"] for m in records})
        return set(event_ids) <= set(found)

    wait_until(read)
    reader.close()
    return [found[event_id] for event_id in event_ids]


def test_mails_beyond_the_limit_are_suppressed_and_recorded_also_after_a_restart(
    limited, kafka, shop, smtp_sink, person
):
    key = secrets.token_hex(13)
    with RunningConsumer(limited):
        events = [shop.step("order-placed", person, key, number, emailVerified=False) for number in range(1, 3)]
        smtp_sink.wait(person.email, 2)
    with RunningConsumer(limited) as consumer:
        events += [shop.step("order-placed", person, key, number, emailVerified=False) for number in range(3, 6)]
        assert outcomes(kafka, events) == ["sent"] * 3 + ["suppressed"] * 2
        notice = shop.publish("user-notice-requested", NOTICE | {"username": person.username, "email": person.email})
        reset = shop.publish("user-mail-requested", link(person, 600))
        verified = shop.step("order-placed", person, emailVerified=True)
        unknown = shop.step("order-placed", person)
        assert outcomes(kafka, [notice, reset, verified, unknown]) == ["sent"] * 4
        wait_until(consumer.settled)
    subjects = [mail.subject for mail in smtp_sink.to(person.email)]
    assert len(subjects) == 3 + 4
    assert "Your password was changed" in subjects
    shop.rewind()
    with RunningConsumer(limited) as consumer:
        wait_until(consumer.settled, 30)
    assert len(smtp_sink.to(person.email)) == 3 + 4


def test_the_welcome_mail_counts_and_another_recipient_does_not(limited, kafka, shop, smtp_sink, person):
    with RunningConsumer(limited):
        data = {"username": person.username, "email": person.email, "emailVerified": False}
        key = secrets.token_hex(13)
        events = [shop.publish("user-registered", data, key) for _ in range(4)]
        assert sorted(outcomes(kafka, events)) == ["sent"] * 3 + ["suppressed"]
        person.email = f"other-{person.email}"
        shop.step("order-placed", person, emailVerified=False)
        smtp_sink.wait(person.email)


def test_a_rejected_order_names_its_lines_in_the_mail(consumer, shop, smtp_sink, person):
    shortages = [{"productId": "b" * 24, "name": "Lamp", "wanted": 2, "available": 1}]
    shop.step("order-rejected", person, reason="out_of_stock", shortages=shortages)
    shop.step("order-rejected", person, reason="price_changed", prices=[{"productId": "b" * 24, "price": "12.00"}])
    texts = [mail.part("plain") for mail in smtp_sink.wait(person.email, 2)]
    assert any("You ordered 2. 1 is left." in text for text in texts)
    assert any("You ordered it at 9.95 USD. It costs 12.00 USD now." in text for text in texts)
