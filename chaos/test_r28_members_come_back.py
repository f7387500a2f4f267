"""R14, R28: members of a group return to it after the broker was frozen, or end their process when they can't."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer
from ulid import ULID

from chaos.harness.child import Child
from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.kafka_requests import FIND_COORDINATOR, HEARTBEAT, Requests
from chaos.harness.proxy import Proxy
from chaos.harness.quiet import wait_quiet
from chaos.harness.sizes import size
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import wait_until
from chaos.test_r25_a_restore_is_followed import confirmed
from libs.messaging.consumer.batch_consumer import BatchConsumer
from libs.messaging.consumer.batches import in_turn
from libs.messaging.consumer.membership import RECONNECT_SECONDS, REJOIN_SECONDS, NotRejoined
from libs.messaging.failures import FailureKind
from libs.messaging.kafka.clients import COMMON
from libs.messaging.kafka.topics import create_topics

MEMBERS = 16
FROZEN_SECONDS = 20.0


class NoFailures:
    """No handler fails."""

    def kind_of(self, error: Exception) -> FailureKind:
        return FailureKind.OWN

    def answers(self) -> bool:
        return True


class Members:
    """Consumers of one group, each in a thread. One that does not rejoin is replaced, as its process would be."""

    def __init__(self, brokers: str, topic: str) -> None:
        self._brokers, self.topic, self._group = brokers, topic, f"g-{topic}"
        self.seen, self.ended, self.errors = set[str](), 0, list[Exception]()
        self._stop = threading.Event()
        self.consumers: list[BatchConsumer | None] = [None] * MEMBERS
        self._threads = [threading.Thread(target=self._run, args=[number]) for number in range(MEMBERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def assigned(self) -> int:
        """How many partitions they have together."""
        return sum(int(str(consumer.status()["assigned"])) for consumer in self.consumers if consumer)

    def _run(self, number: int) -> None:
        while not self._stop.is_set():
            handle = in_turn({self.topic: lambda event: self.seen.add(event.id)})
            consumer = BatchConsumer(self._brokers, self._group, [self.topic], handle, failures=NoFailures())
            self.consumers[number] = consumer
            try:
                consumer.run(self._stop)
            except NotRejoined:
                self.ended += 1
            except Exception as error:
                self.errors.append(error)
                return


@pytest.fixture
def members(stack: Stack) -> Iterator[Members]:
    brokers, topic = stack.settings.get("KAFKA_BROKERS"), f"t-{secrets.token_hex(4)}"
    create_topics(brokers, {topic: {"partitions": MEMBERS, "config": {}}})
    members = Members(brokers, topic)
    members.start()
    yield members
    members.stop()


def publish(brokers: str, topic: str) -> set[str]:
    """An event for each partition; return their ids."""
    producer, ids = Producer({"bootstrap.servers": brokers}), set[str]()
    for partition in range(MEMBERS):
        event_id = str(ULID())
        headers = {"ce_id": event_id, "ce_type": topic, "ce_source": "chaos", "ce_time": "2026-01-01T00:00:00.000Z"}
        headers |= {"ce_specversion": "1.0", "ce_subject": event_id, "ce_sequence": "1"}
        headers |= {
            "content-type": "application/json",
            "traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00",
        }
        producer.produce(topic, b"{}", event_id.encode(), partition=partition, headers=list(headers.items()))
        ids.add(event_id)
    assert producer.flush(60) == 0
    return ids


@contextmanager
def swallowing(proxy: Proxy, is_swallowed: Callable[[int, str], bool]) -> Iterator[None]:
    """No request reaches the broker for whose API key and client `is_swallowed` is true, until the end of the block."""
    proxy.make_filter = lambda: Requests(is_swallowed, proxy.counts)
    try:
        proxy.cut()  # so that all connections have a filter
        yield
    finally:
        proxy.make_filter = None
        proxy.cut()


def await_end(child: Child, seconds: float, reason: str) -> float:
    """Wait until the process was started again, and has told the reason; return the seconds that it took."""
    size, starts = child.log.stat().st_size, child.starts
    took = wait_until(lambda: child.starts > starts, seconds, lambda: child.text(since=size)[-2000:])
    assert reason in child.text(since=size)
    return took


def test_members_rejoin_after_the_broker_was_frozen_several_times(stack: Stack, start: Ends, members: Members) -> None:
    """Sixteen members, and those of the shop. A session lasts 10 s, so each freeze ends all of them."""
    brokers, rounds, slowest = stack.settings.get("KAFKA_BROKERS"), size(2, 8), 0.0
    logs = {name: child.log.stat().st_size for name, child in stack.children.items()}
    wait_until(lambda: members.assigned == MEMBERS, 60, lambda: members.assigned)
    for _ in range(rounds):
        stack.kafka.child.freeze()
        threading.Event().wait(FROZEN_SECONDS)  # the fault lasts that long
        stack.kafka.child.thaw()
        ids = publish(brokers, members.topic)
        slowest = max(slowest, wait_until(lambda: ids <= members.seen, 150, lambda: len(ids - members.seen)))  # noqa: B023
    told = [name for name, size in logs.items() if "not a member of the group" in stack.children[name].text(since=size)]
    note(
        "R14",
        f"broker frozen {rounds} times for {FROZEN_SECONDS:.0f} s: {MEMBERS} members handled the next events within "
        f"{slowest:.1f} s, {members.ended} did not rejoin; of the shop's processes {told or 'none'} ended for that",
    )
    assert members.errors == []


def test_a_process_whose_group_has_no_coordinator_ends_and_its_successor_works(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """The state that no client leaves by itself, forced: the broker answers all but the requests to and for the coordinator."""
    proxy, swallowed, product_id = stack.kafka.proxy, set[int](), customers.new_product()["id"]
    with swallowing(proxy, lambda key, _: key in swallowed):
        confirmed(customers, product_id, 1)
        before = proxy.counts["swallowed"]
        swallowed |= {FIND_COORDINATOR, HEARTBEAT}
        seconds = await_end(stack.children["product-worker"], 3 * REJOIN_SECONDS, "not a member of the group")
        assert proxy.counts["swallowed"] > before
    note("R14", f"a coordinator that does not answer: product-worker ended after {seconds:.0f} s")
    confirmed(customers, product_id, 1)
    wait_quiet(stores, topics)


def test_a_process_whose_client_does_not_connect_ends_when_the_broker_answers_another_one(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """The other state that no client leaves by itself, forced: the broker answers new clients, but none of the shop's."""
    product_id, child = customers.new_product()["id"], stack.children["product-worker"]
    with swallowing(stack.kafka.proxy, lambda _, client: client == COMMON["client.id"]):
        seconds = await_end(child, 3 * RECONNECT_SECONDS, "not a member of the group: no connection")
    note("R14", f"a client that does not connect although a broker answers: product-worker ended after {seconds:.0f} s")
    confirmed(customers, product_id, 1)
    wait_quiet(stores, topics)
