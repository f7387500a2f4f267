"""R6, R12: whole topics read again change no row and mail nobody; a dead letter is handled when it is replayed, and once."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from confluent_kafka import Consumer, TopicPartition

from chaos.harness.customers import Customers
from chaos.harness.quiet import wait_quiet
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import wait_until

READERS = {"product-worker": "product-service", "order-worker": "order-service", "notification": "notification-service"}


def rewind(topics: Topics, brokers: str, group: str, names: list[str]) -> int:
    """Set a group without members back to the first offsets; return how many messages it will read again."""
    member = Consumer({"bootstrap.servers": brokers, "group.id": group, "enable.auto.commit": False})
    firsts = [TopicPartition(place.topic, place.partition, 0) for place in topics.partitions(*names)]
    member.commit(offsets=firsts, asynchronous=False)
    member.close()
    return topics.lag()[group]


@pytest.mark.quick
def test_every_group_that_reads_its_topics_again_from_the_first_offset_changes_no_row_and_mails_nobody(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """R6: hashes of all tables and the number of mails, before and after."""
    product_id = customers.new_product(stock=15)["id"]
    placed = [customers.order(product_id).json["orderId"] for _ in range(20)]
    customers.describe(product_id)
    wait_quiet(stores, topics)
    assert customers.at("order").call("POST", f"/orders/{placed[0]}/cancel", token=customers.buyer).status == 200
    wait_quiet(stores, topics)
    before, mails = stores.fingerprint(), len(stack.sink.mails)
    read_again = 0
    for name, prefix in READERS.items():
        stack.children[name].stop()
        for group, names in topics.groups().items():
            if group.startswith(prefix):
                read_again += rewind(topics, stack.settings.get("KAFKA_BROKERS"), group, names)
        stack.supervisor.start(stack.children[name])
    stack.wait_ready("notification")
    wait_quiet(stores, topics, 120)
    assert read_again >= 100
    after = stores.fingerprint()
    assert {name for name in after if after[name] != before.get(name)} == set()
    assert len(stack.sink.mails) == mails


def dlq(stack: Stack, *arguments: str) -> str:
    """`python -m notification_service dlq …`, as an operator runs it."""
    argv = [sys.executable, "-m", "notification_service", "dlq", *arguments]
    env = dict(stack.children["notification"].env)
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_replayed_dead_letters_are_handled_once_and_no_other_group_sees_them(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """R12: the mail server refuses a customer for good; later it does not, and an operator replays."""
    product_id = customers.new_product()["id"]
    stack.sink.behave("550")
    for _ in range(2):
        assert customers.order(product_id).status == 201

    def letters() -> list[str]:
        names = [f"order-placed.{READERS['notification']}.dlq"]
        return [f"{r.topic}/{r.partition}/{r.offset}" for r in topics.read(*names, since=start)]

    wait_until(lambda: len(letters()) == 2, 60, letters)
    wait_quiet(stores, topics)
    stack.sink.behave("ok")
    assert set(letters()) <= set(re.findall(r"^\S+", dlq(stack, "list"), re.MULTILINE))
    assert letters()[0] in dlq(stack, "show", "--id", letters()[0])
    before, ends = stores.fingerprint(), topics.ends("order-placed")
    for letter in letters():
        dlq(stack, "replay", "--id", letter)
    mails = [mail for mail in stack.sink.to(customers.buyer_email) if mail.subject.startswith("Order Confirmation")]
    assert len(mails) == 2
    dlq(stack, "replay", "--id", letters()[0])
    assert len([m for m in stack.sink.to(customers.buyer_email) if m.subject.startswith("Order Confirmation")]) == 2
    assert topics.ends("order-placed") == ends
    wait_quiet(stores, topics)
    after = stores.fingerprint()
    assert {name for name in after if after[name] != before[name]} == {"sent_mails"}  # the desk hears of the two
