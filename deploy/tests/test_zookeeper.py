"""Kafka with ZooKeeper carries the same shop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.tests.containers import Containers
from deploy.tests.test_kafka import (  # noqa: F401 -- likewise
    test_a_second_run_sets_passwords_and_removes_rights,
    test_a_service_sees_its_own_topics_only,
    test_a_service_writes_its_own_topics,
    test_a_service_writes_no_topic_of_another,
    test_an_anonymous_client_and_a_wrong_password_get_nothing,
    test_an_anonymous_client_inside_gets_nothing_either,
    test_no_service_changes_topics_or_rights,
    test_no_service_joins_the_group_of_another,
)
from deploy.tests.versions import versions
from tests.e2e.conftest import Town, wait_for
from tests.e2e.test_journeys import (  # noqa: F401 -- run here on the containers
    test_a_customer_registers_orders_and_hears_of_each_step,
    test_an_order_takes_the_stock_and_a_cancellation_gives_it_back,
)

RECOVERY_SECONDS = 120.0


@pytest.fixture(scope="module")
def shop(bring_up: Callable[[Containers], Containers], directory: Path) -> Containers:
    return bring_up(Containers(directory, "zookeeper", ("zookeeper",)))


def test_the_broker_is_in_zookeeper(shop: Containers) -> None:
    told = versions(shop)
    assert any(line.startswith("zookeeper: Zookeeper 3.") for line in told)
    assert "kafka: Kafka 3.9.1" in told
    settings = shop.inspect("kafka")["Config"]["Env"]
    assert not [line for line in settings if line.startswith("KAFKA_PROCESS_ROLES")]


def test_with_zookeeper_killed_orders_are_confirmed_all_the_same(shop: Containers, town: Town) -> None:
    before = shop.inspect("zookeeper")["State"]["StartedAt"]
    shop.kill("zookeeper")
    ada, staff = town.customer(), town.staff()
    order = ada.order(town.product(staff))
    wait_for(lambda: ada.status_of(order) == "confirmed", "confirmed", RECOVERY_SECONDS)
    wait_for(lambda: shop.inspect("zookeeper")["State"]["StartedAt"] != before, "restart", RECOVERY_SECONDS)


def test_only_the_broker_reaches_zookeeper(shop: Containers) -> None:
    assert set(shop.inspect("zookeeper")["NetworkSettings"]["Networks"]) == {f"{shop.project}_zookeeper"}
    assert not any(shop.inspect("zookeeper")["NetworkSettings"]["Ports"].values())
    code = "import socket; socket.create_connection(('zookeeper', 2181), 3)"
    for name in ("user-worker", "order-web", "notification"):
        assert "gaierror" in shop.execute(name, "python", "-c", code, check=False).stderr
