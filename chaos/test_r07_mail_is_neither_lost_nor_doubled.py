"""R7: every order is mailed; nothing twice without a crash; after one at most the mails in flight, with the same Message-ID."""

from __future__ import annotations

import random
from contextlib import AbstractContextManager

import pytest

from chaos.harness.customers import Customers
from chaos.harness.load import Load, load
from chaos.harness.post import MAIL_CONCURRENCY, Post
from chaos.harness.quiet import wait_quiet
from chaos.harness.sizes import size
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import wait_until

RATE = 20
SLOW_RATE = 5  # of orders through many kills: the group misses a killed member for ten seconds, in which mails pile up


def order_meanwhile(customers: Customers, rate: float = RATE) -> AbstractContextManager[Load]:
    """A load of orders."""
    product_id = customers.new_product()["id"]
    return load(lambda _: customers.order(product_id), rate)


@pytest.mark.quick
def test_a_killed_sender_mails_at_most_what_was_in_flight_again_under_the_same_message_id(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, rng: random.Random
) -> None:
    """One kill."""
    killed(stack, customers, stores, topics, start, rng, kills=1)


def test_many_kills_of_the_sender_lose_no_mail(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, rng: random.Random
) -> None:
    """A kill for each twenty orders or so."""
    killed(stack, customers, stores, topics, start, rng, kills=size(8, 50))


def killed(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, rng: random.Random, *, kills: int
) -> None:
    """kill -9 while mails go out; each waits until the next process mails again."""
    post = Post(stack.sink, customers.tag)
    with order_meanwhile(customers, RATE if kills == 1 else SLOW_RATE):
        for _ in range(kills):
            post.wait(rng.randint(5, 30))
            stack.children["notification"].kill()
    wait_quiet(stores, topics)
    assert post.check(topics, start) <= MAIL_CONCURRENCY * kills


@pytest.mark.quick
def test_hang_ups_at_quit_rebalances_a_broker_restart_and_repeats_by_the_relay_double_no_mail(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """No crash, no double: a second member comes and goes, the broker is restarted, events come twice."""
    post = Post(stack.sink, customers.tag)
    stack.sink.behave("quit-drop")
    with order_meanwhile(customers) as clients:
        clients.wait(2 * RATE)
        second = stack.start("notification", copy=2)
        stack.wait_ready("notification-2")
        repeated = [record for record in topics.read("order-placed", since=start)]
        topics.publish(repeated)
        assert second.stop() < 30
        stack.kafka.restart(stack.supervisor)
        clients.wait(2 * RATE)
    wait_quiet(stores, topics)
    assert repeated
    assert second.returncode == 0
    assert post.check(topics, start) == 0


def test_an_acknowledgement_lost_after_data_repeats_that_mail_once(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """What no sender can know: SMTP has no transaction. The same Message-ID lets the reader's side tell."""
    post = Post(stack.sink, customers.tag)
    stack.sink.behave("ack-lost")
    product_id = customers.new_product()["id"]
    assert customers.order(product_id).status == 201
    wait_until(lambda: max(post.counts().values(), default=0) >= 2, 30)
    stack.sink.behave("ok")
    wait_quiet(stores, topics)
    assert post.check(topics, start) >= 1
