"""One mail for each event, when events come again, partitions move and the broker is unavailable."""

import re
from collections import Counter
from contextlib import ExitStack

import pytest

from deploy.local.servers.kafka import Kafka
from deploy.local.state import State
from notification_service.events.topics import MAIL_TOPICS
from notification_service.tests.integration.world import Person, RunningConsumer, Shop, wait_until
from tests.free_ports import pick_free
from tests.stack import running


def ids(smtp_sink, person):
    return [got.id for got in smtp_sink.to(person.email)]


def test_an_event_that_is_published_again_has_one_mail(consumer, shop, smtp_sink, person):
    data = {"username": person.username, "email": person.email}
    shop.publish("user-registered", data, times=3)
    shop.step("order-placed", person)
    smtp_sink.wait(person.email, 2)
    wait_until(lambda: consumer.status()["handled"] >= 4 and consumer.settled())
    assert Counter(got.subject.split(",")[0] for got in smtp_sink.to(person.email)) == {
        "Welcome to MicroShop": 1,
        "Order Confirmation - #01K00000000000000000000000": 1,
    }


def test_a_group_that_starts_from_the_beginning_sends_no_mail_again(config, kafka, shop, smtp_sink, person):
    with RunningConsumer(config):
        shop.register(person)
        shop.place_orders(person, 20)
        smtp_sink.wait(person.email, 21)
    for _ in range(2):
        events = shop.rewind()
        with RunningConsumer(config) as again:
            wait_until(lambda: again.status()["handled"] == events, 30)  # noqa: B023 -- called at once
    assert len(ids(smtp_sink, person)) == 21


def test_mails_to_one_key_keep_their_order_while_several_are_sent_at_once(consumer, shop, smtp_sink, person):
    smtp_sink.seconds_a_mail = 0.01
    people = [Person(f"{person.username}{n}", f"{person.username}{n}@example.com") for n in range(6)]
    for n in range(10):
        for other in people:
            shop.step("order-placed", other, key=other.username, total=f"{n}.00")
    for other in people:
        mails = smtp_sink.wait(other.email, 10)
        totals = [re.search(r"Total: (\d+)", got.part("plain"))[1] for got in mails]
        assert totals == [str(n) for n in range(10)]
    assert 1 < smtp_sink.connections <= 4


def test_no_mail_is_sent_twice_while_partitions_move_between_two_members(config, kafka, shop, smtp_sink, person):
    smtp_sink.seconds_a_mail = 0.2
    with ExitStack() as stack:
        with RunningConsumer(config):
            shop.place_orders(person, 200)
            smtp_sink.wait(person.email, 20)
            second = stack.enter_context(RunningConsumer(config, alone=False))
            assert len(ids(smtp_sink, person)) < 180
            smtp_sink.wait(person.email, len(ids(smtp_sink, person)) + 5)
        smtp_sink.wait(person.email, 200, 30)
        wait_until(lambda: second.status()["assigned"] == 3 * len(MAIL_TOPICS) and second.settled())
    assert len(ids(smtp_sink, person)) == len(set(ids(smtp_sink, person))) == 200


@pytest.fixture
def broker(tmp_path):
    """A broker that a test stops and starts by `running(*broker)`."""
    state = State(tmp_path)
    state.make()
    return Kafka(state, *pick_free(2)), state


def test_no_mail_is_lost_or_sent_twice_while_the_broker_is_unavailable(config, broker, smtp_sink, person):
    smtp_sink.seconds_a_mail = 0.3
    with ExitStack() as life, ExitStack() as stack:
        life.enter_context(running(*broker))
        shop = Shop(broker[0].brokers)
        shop.place_orders(person, 80)
        shop.close()
        consumer = stack.enter_context(RunningConsumer(config.model_copy(update={"kafka_brokers": broker[0].brokers})))
        smtp_sink.wait(person.email, 5)
        life.close()
        wait_until(lambda: consumer.ledger._unrecorded)
        wait_until(
            lambda: consumer.status()["assigned"] == 0, 40
        )  # after 10 s without a broker it gives up its partitions
        assert len(ids(smtp_sink, person)) < 80
        life.enter_context(running(*broker))
        smtp_sink.wait(person.email, 80, 60)
        wait_until(consumer.settled)
    assert len(ids(smtp_sink, person)) == len(set(ids(smtp_sink, person))) == 80
