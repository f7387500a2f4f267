"""R7: every order is mailed; nothing twice without a crash; after one at most the mails in flight, with the same Message-ID."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import AbstractContextManager

import pytest

from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.load import Load, load
from chaos.harness.quiet import wait_quiet
from chaos.harness.sizes import size
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import wait_until

RATE = 20
MAIL_CONCURRENCY = 4
MAILED = (
    "user-registered",
    "user-mail-requested",
    "order-placed",
    "order-confirmed",
    "order-rejected",
    "order-cancelled",
)


class Post:
    """The mails to the test's buyer, counted by Message-ID."""

    def __init__(self, stack: Stack, customers: Customers) -> None:
        self._sink, self._to = stack.sink, customers.buyer_email

    def counts(self) -> Counter[str]:
        return Counter(mail.id for mail in self._sink.to(self._to))

    def wait(self, mails: int) -> None:
        """Wait until so many mails more came."""
        goal = len(self.counts()) + mails
        wait_until(lambda: len(self.counts()) >= goal, 40)

    def check(self, events: set[str], *, repeats: int) -> None:
        """One mail for each event, and at most so many mails more."""
        counts = self.counts()
        extra = {mail: number for mail, number in counts.items() if number > 1}
        assert len(counts) == len(events), f"{len(events)} events, {len(counts)} different mails"
        note("R7", f"{len(counts):,} mails for {len(events):,} events, {sum(extra.values()) - len(extra)} sent again")
        assert sum(number - 1 for number in extra.values()) <= repeats, f"mails sent again: {extra}"


def buyer_events(topics: Topics, start: Ends, customers: Customers) -> set[str]:
    """The ids of the events about which the buyer is to be mailed."""
    email = f'"{customers.buyer_email}"'.encode()
    return {record.event_id for record in topics.read(*MAILED, since=start) if email in (record.value or b"")}


def order_meanwhile(customers: Customers) -> AbstractContextManager[Load]:
    """A load of orders."""
    product_id = customers.new_product()["id"]
    return load(lambda _: customers.order(product_id), RATE)


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
    killed(stack, customers, stores, topics, start, rng, kills=size(15, 50))


def killed(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, rng: random.Random, *, kills: int
) -> None:
    """kill -9 while mails go out; each waits until the next process mails again."""
    post = Post(stack, customers)
    with order_meanwhile(customers):
        for _ in range(kills):
            post.wait(rng.randint(5, 30))
            stack.children["notification"].kill()
    wait_quiet(stores, topics)
    post.check(buyer_events(topics, start, customers), repeats=MAIL_CONCURRENCY * kills)


@pytest.mark.quick
def test_hang_ups_at_quit_rebalances_a_broker_restart_and_repeats_by_the_relay_double_no_mail(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """No crash, no double: a second member comes and goes, the broker is restarted, events come twice."""
    post = Post(stack, customers)
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
    post.check(buyer_events(topics, start, customers), repeats=0)


def test_an_acknowledgement_lost_after_data_repeats_that_mail_once(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """What no sender can know: SMTP has no transaction. The same Message-ID lets the reader's side tell."""
    post = Post(stack, customers)
    stack.sink.behave("ack-lost")
    product_id = customers.new_product()["id"]
    assert customers.order(product_id).status == 201
    wait_until(lambda: sum(post.counts().values()) >= 2, 30)
    stack.sink.behave("ok")
    wait_quiet(stores, topics)
    counts = post.counts()
    assert len(counts) == len(buyer_events(topics, start, customers))
