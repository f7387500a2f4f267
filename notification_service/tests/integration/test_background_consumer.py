"""From an event on a real broker to a mail at a real SMTP server."""

import orjson
import pytest

from notification_service.events.topics import GROUP, MAIL_TOPICS
from notification_service.tests.integration.world import any_row, wait_until


def test_a_registration_has_one_welcome_mail(consumer, shop, smtp_sink, person):
    shop.register(person)
    (got,) = smtp_sink.wait(person.email)
    assert got.subject == f"Welcome to MicroShop, {person.username}!"
    assert person.username in got.part("plain")
    assert person.username in got.part("html")
    wait_until(lambda: consumer.status()["broker"] and consumer.status()["lag"] == 0)
    assert consumer.background.check()["parts"][GROUP]["deadLetters"] == 0


@pytest.mark.parametrize(
    ("topic", "subject"),
    [
        ("order-placed", "Order Confirmation - #01K00000000000000000000000"),
        ("order-confirmed", "Your order #01K00000000000000000000000 is reserved"),
        ("order-rejected", "Your order #01K00000000000000000000000 could not be filled"),
        ("order-shipped", "Your order #01K00000000000000000000000 is on its way"),
        ("order-delivered", "Your order #01K00000000000000000000000 was delivered"),
        ("order-cancelled", "Your order #01K00000000000000000000000 was cancelled"),
    ],
)
def test_each_step_of_an_order_has_a_mail(consumer, shop, smtp_sink, person, topic, subject):
    shop.step(topic, person)
    (got,) = smtp_sink.wait(person.email)
    assert got.subject == subject
    assert "19.90" in got.part("plain")
    assert "19.90" in got.part("html")


def test_while_the_smtp_server_is_unavailable_no_mail_is_lost_and_the_partitions_are_kept(
    consumer, shop, smtp_sink, person
):
    smtp_sink.behave("refuse")
    shop.register(person)
    for topic in ("order-placed", "order-confirmed", "order-shipped"):
        shop.step(topic, person)
    wait_until(lambda: (consumer.status()["retrying"] or {}).get("attempts", 0) >= 3)
    assert consumer.status()["retrying"]["reason"] == "the SMTP server refused the connection"
    assert consumer.status()["assigned"] == 3 * len(MAIL_TOPICS)
    before = consumer.background._threads[0].task.heartbeat
    wait_until(lambda: consumer.background._threads[0].task.heartbeat > before)
    smtp_sink.behave("421")
    wait_until(lambda: "421" in consumer.status()["retrying"]["reason"])
    smtp_sink.behave("ok")
    assert len(smtp_sink.wait(person.email, 4, 60)) == 4
    wait_until(lambda: consumer.status()["lag"] == 0 and not consumer.status()["retrying"])
    assert len(smtp_sink.to(person.email)) == 4
    assert consumer.status()["deadLetters"] == 0
    assert consumer.status()["assigned"] == 3 * len(MAIL_TOPICS)


@pytest.mark.parametrize("mode", ["550", "554"])
def test_an_event_whose_mail_is_refused_for_good_is_dead_lettered_and_the_next_mail_is_sent(
    consumer, shop, smtp_sink, person, mode
):
    smtp_sink.behave(mode)
    shop.register(person)
    wait_until(lambda: consumer.status()["deadLetters"] == 1)
    smtp_sink.behave("ok")
    shop.step("order-placed", person)
    (got,) = smtp_sink.wait(person.email)
    assert got.subject.startswith("Order Confirmation")
    (letter,) = shop.dead_letters("user-registered", person.email.encode())
    assert mode in dict(letter.headers())["x-reason"].decode()


def test_a_server_that_closes_the_connection_at_quit_gets_each_mail_once(consumer, shop, smtp_sink, person):
    smtp_sink.behave("quit-drop")
    for topic in ("order-placed", "order-confirmed", "order-shipped"):
        shop.step(topic, person)
    smtp_sink.wait(person.email, 3)
    wait_until(lambda: consumer.status()["handled"] >= 3 and consumer.status()["lag"] == 0)
    assert len(smtp_sink.to(person.email)) == 3


BROKEN = [
    {"username": "{u}", "email": "{u}@example.com\r\nBcc: eve@example.com"},
    {"username": "{u}\r\nBcc: eve@example.com", "email": "{u}@example.com"},
    {"username": "{u}", "email": ["{u}@example.com"]},
    {"username": "{u}"},
    {"username": "<b>{u}</b>", "email": "{u}@example.com"},
    {"user": {"$gt": "{u}"}},
]


def test_malformed_events_give_one_dead_letter_each_and_the_valid_ones_between_one_mail_each(
    consumer, shop, smtp_sink, person
):
    sent = []
    for broken in BROKEN:
        sent.append(orjson.dumps(broken).replace(b"{u}", person.username.encode()))
        headers = orjson.loads(any_row("user-registered", {}, "a").headers)
        shop.publish_raw("user-registered", sent[-1], b"a", headers, partition=0)
        shop.register(person)
    mails = smtp_sink.wait(person.email, len(BROKEN))
    assert len({got.id for got in mails}) == len(BROKEN)
    assert all(got.message["Bcc"] is None for got in mails)
    wait_until(lambda: consumer.status()["deadLetters"] == len(BROKEN))
    letters = shop.dead_letters("user-registered", person.username.encode())
    assert sorted(letter.value() for letter in letters) == sorted(sent)
    for letter in letters:
        assert dict(letter.headers())["x-reason"].decode().startswith("data: ")
        assert person.username.encode() not in dict(letter.headers())["x-reason"]
