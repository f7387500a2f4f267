"""Events that are older than the ledger, and a ledger that was lost."""

import time

import orjson
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from ulid import ULID

from contracts import topic_settings
from libs.messaging.kafka.topics import create_topics
from notification_service.__main__ import COMMANDS
from notification_service.events.topics import GROUP
from notification_service.tests.integration.world import LINE, RunningConsumer, any_row, wait_until

HOURS = 3600


@pytest.fixture
def publish_old(shop):
    """Publish an order-placed whose id is so many seconds old."""

    def publish(person, seconds):
        order = {"orderId": "01K00000000000000000000000", "userId": "a" * 24, "userEmail": person.email}
        order |= {"username": person.username, "total": "19.90", "currency": "USD", "reason": None, "items": [LINE]}
        row = any_row("order-placed", order, "a")
        headers = orjson.loads(row.headers) | {"ce_id": str(ULID.from_timestamp(time.time() - seconds))}
        shop.publish_raw("order-placed", row.payload.encode(), b"a", headers)

    return publish


def letters_of(shop, person):
    return shop.dead_letters("order-placed", person.email.encode())


def test_an_event_of_before_the_ledger_is_a_dead_letter_and_an_operators_replay_mails_it(
    config, kafka, shop, smtp_sink, person, publish_old
):
    with RunningConsumer(config) as consumer:
        publish_old(person, 2 * HOURS)
        wait_until(lambda: consumer.status()["deadLetters"] == 1)
        publish_old(person, 60)
        smtp_sink.wait(person.email)
        wait_until(consumer.settled)
    assert len(smtp_sink.to(person.email)) == 1
    (letter,) = letters_of(shop, person)
    assert dict(letter.headers())["x-reason"] == b"older than the ledger"
    place = f"{letter.topic()}/{letter.partition()}/{letter.offset()}"
    assert COMMANDS["dlq"](config, ["replay", "--id", place]) == 0
    assert len(smtp_sink.to(person.email)) == 2
    assert COMMANDS["dlq"](config, ["replay", "--id", place]) == 0
    assert len(smtp_sink.to(person.email)) == 2


def test_after_the_ledger_was_lost_no_old_event_gets_a_second_mail(config, kafka, shop, smtp_sink, person, publish_old):
    with RunningConsumer(config) as consumer:
        shop.step("order-placed", person)
        smtp_sink.wait(person.email)
        wait_until(consumer.settled)
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.delete_topics(["mail-sent"])["mail-sent"].result(10)
    wait_until(lambda: "mail-sent" not in admin.list_topics(timeout=10).topics)
    create_topics(kafka, topic_settings("mail-sent"))
    publish_old(person, 2 * HOURS)
    with RunningConsumer(config) as consumer:
        wait_until(lambda: consumer.status()["deadLetters"] == 1)
        publish_old(person, 60)
        smtp_sink.wait(person.email, 2)
        wait_until(consumer.settled)
    assert len(smtp_sink.to(person.email)) == 2


def test_records_go_to_all_partitions_of_the_ledger_and_each_member_reads_them_all(
    config, kafka, shop, smtp_sink, person
):
    with RunningConsumer(config) as consumer:
        shop.place_orders(person, 60)
        smtp_sink.wait(person.email, 60)
        wait_until(consumer.settled)
        reader = Consumer({"bootstrap.servers": kafka, "group.id": GROUP, "log_level": 2})
        ends = [reader.get_watermark_offsets(TopicPartition("mail-sent", number), 10)[1] for number in range(3)]
        reader.close()
        assert all(ends)
    with RunningConsumer(config) as again:
        wait_until(lambda: again.worker.reader.is_complete)
        assert len(again.ledger.ids) == len(consumer.ledger.ids) >= 60
