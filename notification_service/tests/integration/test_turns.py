"""Whose turn it is, with a real broker: links first, an order's mails in their order, and a server that takes few sessions."""

import secrets
import signal

import pytest

from libs.runtime.health import CheckFailed
from notification_service.events.topics import GROUP
from notification_service.tests.integration.world import Person, RunningConsumer, link, wait_until

WEB = ("-m", "notification_service", "web")
ORDERS = 150


def test_a_link_overtakes_the_orders_that_wait(config, kafka, shop, smtp_sink, person):
    smtp_sink.seconds_a_mail = 0.02
    asking = Person(f"{person.username}l", f"{person.username}l@example.com")
    shop.place_orders(person, 300)
    with RunningConsumer(config):
        smtp_sink.wait(person.email, 5)
        shop.publish("user-mail-requested", link(asking, 3600), "a" * 24)
        smtp_sink.wait(asking.email)
        assert len(smtp_sink.to(person.email)) < 250
        smtp_sink.wait(person.email, 300, 60)


def test_no_order_is_confirmed_by_mail_before_it_was_placed_whatever_is_killed(serve, shop, smtp_sink, person):
    smtp_sink.seconds_a_mail = 0.01
    keys = [secrets.token_hex(13) for _ in range(ORDERS)]
    for number, step in enumerate(("order-placed", "order-confirmed"), 1):
        for key in keys:
            shop.step(step, person, key=key, sequence=number, orderId=order_id(key))
    service = serve(*WEB)
    for count in (30, 60):
        smtp_sink.wait(person.email, count, 40)
        worker = service.worker()
        service.kill(worker, signal.SIGKILL)
        wait_until(lambda: service.worker() not in (worker, None))  # noqa: B023 -- called at once
    smtp_sink.wait_until(lambda: len({got.id for got in smtp_sink.to(person.email)}) == 2 * ORDERS, 90)
    firsts = {}
    for got in smtp_sink.to(person.email):
        order = got.subject.split("#")[1].split(" ")[0]
        firsts.setdefault(order, "Confirmation" in got.subject)
    assert len(firsts) == ORDERS
    assert all(firsts.values())
    assert service.stop() == 0


def order_id(key):
    return "01K" + key.upper()[:23].translate(str.maketrans("ILOU", "1234"))


def test_a_server_that_takes_two_sessions_gets_all_mails_and_is_not_unavailable(config, kafka, shop, smtp_sink, person):
    smtp_sink.most_sessions, smtp_sink.seconds_a_mail = 2, 0.05
    with RunningConsumer(config) as consumer:
        shop.place_orders(person, 40)
        smtp_sink.wait(person.email, 40, 60)
        wait_until(consumer.settled)
        assert consumer.worker.check_smtp()
    assert len(smtp_sink.to(person.email)) == 40


def test_an_offset_out_of_range_is_counted_and_shown_and_the_events_that_are_left_get_their_mails(
    config, kafka, shop, smtp_sink, person
):
    with RunningConsumer(config):
        shop.step("order-shipped", person, partition=0)
        smtp_sink.wait(person.email)
    shop.commit("order-shipped", 0, 1_000_000)
    shop.step("order-shipped", person, partition=0, total="1.00")
    with RunningConsumer(config) as consumer:
        smtp_sink.wait(person.email, 2)
        wait_until(lambda: consumer.status()["offsetResets"] == 1)
        wait_until(consumer.settled)
        assert consumer.background.check()["parts"][GROUP]["offsetResets"] == 1
        with pytest.raises(CheckFailed, match="1 partitions were read from their start"):
            consumer.background.check_progress()
    assert len(smtp_sink.to(person.email)) == 2
