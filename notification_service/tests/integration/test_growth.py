"""Topics get more partitions while the service runs."""

import secrets

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from libs.messaging.kafka.topics import dead_letter_topic
from notification_service.events.topics import GROUP, MAIL_TOPICS
from notification_service.tests.integration.world import Person, RunningConsumer, wait_until


def grow(brokers, *topics):
    admin = AdminClient({"bootstrap.servers": brokers})
    for future in admin.create_partitions([NewPartitions(topic, 6) for topic in topics]).values():
        future.result(10)


@pytest.fixture
def person():
    tag = secrets.token_hex(5)
    return Person(f"u{tag}", f"u{tag}@example.com")


def test_each_event_of_grown_topics_has_one_mail_and_is_known_after_a_restart(config, kafka, shop, smtp_sink, person):
    def place(partition):
        shop.step("order-placed", person, key=secrets.token_hex(13), partition=partition)

    with RunningConsumer(config) as consumer:
        for partition in range(3):
            place(partition)
        smtp_sink.wait(person.email, 3)
        grow(kafka, "order-placed", "mail-sent", "user-deleted")
        shop.renew()
        wait_until(lambda: consumer.status()["assigned"] == 3 * len(MAIL_TOPICS) + 3, 40)
        for partition in range(6):
            place(partition)
        smtp_sink.wait(person.email, 9, 30)
        wait_until(consumer.settled)
    shop.rewind()
    with RunningConsumer(config, alone=False) as again:
        wait_until(lambda: again.status()["handled"] >= 6)
        wait_until(again.settled, 30)
        shop.publish_raw("order-placed", b"{", b"broken", {}, partition=5)
        wait_until(lambda: again.status()["deadLetters"] == 1)
    assert len(smtp_sink.to(person.email)) == 9
    (letter,) = shop.dead_letters("order-placed", b"ce_id is no ULID")
    assert letter.topic() == dead_letter_topic("order-placed", GROUP)
    assert dict(letter.headers())["x-origin-partition"] == b"5"


def test_a_deletion_in_a_new_partition_is_known(config, kafka, shop, smtp_sink, person):
    user_id = secrets.token_hex(12)
    with RunningConsumer(config, alone=False) as consumer:
        deletion = {"id": user_id, "deletedAt": "2026-01-31T12:00:00.000Z"}
        shop.publish("user-deleted", deletion, user_id, partition=5)
        wait_until(lambda: consumer.accounts.is_deleted(user_id), 30)
        shop.step("order-placed", person, userId=user_id)
        shop.step("order-placed", person, total="1.00")
        (got,) = smtp_sink.wait(person.email)
        assert "1.00" in got.part("plain")
