"""Kafka in containers: each service does what it needs with its account, and nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from pydantic import SecretStr

from deploy.compose.kafka_init import RIGHTS
from deploy.tests.containers import Containers
from libs.messaging.kafka.brokers import Account
from libs.messaging.kafka.clients import login
from tests.e2e.test_journeys import test_a_customer_registers_orders_and_hears_of_each_step  # noqa: F401 -- run here on the containers

SECONDS = 10.0
EVERY_TOPIC = {topic for rights in RIGHTS.values() for topic in rights.of_topics()}
QUIET = {"log_level": 0, "socket.timeout.ms": 5000}


@pytest.fixture(scope="module")
def shop(bring_up: Callable[[Containers], Containers], directory: Path) -> Containers:
    return bring_up(Containers(directory, "kafka"))


def settings(shop: Containers, name: str, password: str = "") -> dict[str, Any]:
    """The settings of a client that logs in from the host."""
    password = password or shop.env[f"KAFKA_PASSWORD_{name.upper()}"]
    return QUIET | login(Account(f"127.0.0.1:{shop.env['KAFKA_PUBLISHED_PORT']}", name, SecretStr(password)))


def write(client: Producer, topic: str) -> KafkaError | None:
    """Send a message. Returns the broker's error."""
    answers: list[KafkaError | None] = []
    try:
        client.produce(topic, b"{}", on_delivery=lambda error, _message: answers.append(error))
    except KafkaException as error:  # the client knows the broker's answer by then
        return error.args[0]  # type: ignore[no-any-return]
    client.flush(3 * SECONDS)
    assert answers, f"no answer for {topic}"
    return answers[0]


@contextmanager
def member(shop: Containers, name: str, group: str) -> Iterator[Consumer]:
    client = Consumer(settings(shop, name) | {"group.id": group, "enable.auto.commit": False})
    try:
        yield client
    finally:
        client.close()


def read_error(client: Consumer, topic: str) -> int | None:
    """The code of the broker's error for a member of a group that reads `topic`; None when it has none for 5 s."""
    client.subscribe([topic])
    message = client.poll(5)
    error = message.error() if message else None
    return error.code() if error else None


@pytest.mark.parametrize("name", RIGHTS)
def test_a_service_sees_its_own_topics_only(shop: Containers, name: str) -> None:
    seen = set(AdminClient(settings(shop, name)).list_topics(timeout=SECONDS).topics)
    assert seen == set(RIGHTS[name].of_topics())
    assert seen < EVERY_TOPIC


@pytest.mark.parametrize("name", RIGHTS)
def test_a_service_writes_no_topic_of_another(shop: Containers, name: str) -> None:
    client = Producer(settings(shop, name))
    others = [
        topic for topic in sorted(EVERY_TOPIC) if AclOperation.WRITE not in RIGHTS[name].of_topics().get(topic, set())
    ]
    assert others
    for topic in others:
        error = write(client, topic)
        assert error is not None, topic
        assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED, error


@pytest.mark.parametrize("name", RIGHTS)
def test_a_service_writes_its_own_topics(shop: Containers, name: str) -> None:
    client = Producer(settings(shop, name))
    letters = [topic for topic in RIGHTS[name].of_topics() if topic.endswith(".dlq")]
    for topic in letters or [sorted(RIGHTS[name].publishes)[0]]:
        assert write(client, topic) is None


def test_links_in_mails_are_read_by_the_services_that_need_them_only(shop: Containers) -> None:
    for name in ("product", "order"):
        with member(shop, name, f"{name}-service-test") as client:
            assert read_error(client, "user-mail-requested") in (
                KafkaError.TOPIC_AUTHORIZATION_FAILED,
                KafkaError.UNKNOWN_TOPIC_OR_PART,
            )
    with member(shop, "notification", "notification-service-test") as client:
        assert read_error(client, "user-mail-requested") is None


def test_no_service_joins_the_group_of_another(shop: Containers) -> None:
    with member(shop, "product", "order-service-stock") as client:
        assert read_error(client, "order-placed") == KafkaError.GROUP_AUTHORIZATION_FAILED


@pytest.mark.parametrize("name", RIGHTS)
def test_no_service_changes_topics_or_rights(shop: Containers, name: str) -> None:
    admin = AdminClient(settings(shop, name))
    mine = next(iter(RIGHTS[name].of_topics()))
    with pytest.raises(KafkaException, match="AUTHORIZATION_FAILED"):
        admin.delete_topics([mine], request_timeout=SECONDS)[mine].result(SECONDS)
    right = AclBinding(
        ResourceType.TOPIC,
        "*",
        ResourcePatternType.LITERAL,
        f"User:{name}",
        "*",
        AclOperation.ALL,
        AclPermissionType.ALLOW,
    )
    with pytest.raises(KafkaException, match="AUTHORIZATION_FAILED"):
        admin.create_acls([right], request_timeout=SECONDS)[right].result(SECONDS)


def test_an_anonymous_client_and_a_wrong_password_get_nothing(shop: Containers) -> None:
    place = {"bootstrap.servers": f"127.0.0.1:{shop.env['KAFKA_PUBLISHED_PORT']}"}
    wrong = settings(shop, "user", "a-wrong-password")
    plain = settings(shop, "user") | {"sasl.mechanism": "PLAIN"}
    for refused in (QUIET | place, wrong, plain):
        with pytest.raises(KafkaException):
            AdminClient(refused).list_topics(timeout=5)


@pytest.mark.parametrize("port", [9092, 9094])
def test_an_anonymous_client_inside_gets_nothing_either(shop: Containers, port: int) -> None:
    code = (
        "from confluent_kafka.admin import AdminClient; "
        f"AdminClient({{'bootstrap.servers': 'kafka:{port}', 'log_level': 0}}).list_topics(timeout=5)"
    )
    refused = shop.execute("user-worker", "python", "-c", code, check=False)
    assert refused.returncode
    assert "_TRANSPORT" in refused.stderr or "_TIMED_OUT" in refused.stderr


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("user-web", "kafka:9092"),
        ("product-web", "kafka:9092"),
        ("order-web", "kafka:9092"),
        ("order-web", "mongo:27017"),
        ("user-web", "mysql:3306"),
        ("order-worker", "mongo:27017"),
        ("user-worker", "mysql:3306"),
        ("notification", "mongo:27017"),
    ],
)
def test_a_process_does_not_reach_a_server_that_it_does_not_use(shop: Containers, name: str, server: str) -> None:
    host, port = server.split(":")
    code = f"import socket; socket.create_connection(('{host}', {port}), 3)"
    assert "gaierror" in shop.execute(name, "python", "-c", code, check=False).stderr


def test_a_second_run_sets_passwords_and_removes_rights(shop: Containers) -> None:
    admin = AdminClient(settings(shop, "admin"))
    more = AclBinding(
        ResourceType.TOPIC,
        "mail-sent",
        ResourcePatternType.LITERAL,
        "User:user",
        "*",
        AclOperation.WRITE,
        AclPermissionType.ALLOW,
    )
    admin.create_acls([more], request_timeout=SECONDS)[more].result(SECONDS)
    old, new = shop.env["KAFKA_PASSWORD_USER"], secrets.token_urlsafe(24)
    try:
        shop.env["KAFKA_PASSWORD_USER"] = new
        shop.save()
        shop.compose("run", "--rm", "--no-deps", "kafka-init")
        seen = AdminClient(settings(shop, "user", new)).list_topics(timeout=SECONDS).topics
        assert set(seen) == set(RIGHTS["user"].of_topics())
        with pytest.raises(KafkaException):
            AdminClient(settings(shop, "user", old)).list_topics(timeout=5)
    finally:
        shop.env["KAFKA_PASSWORD_USER"] = old
        shop.save()
        shop.compose("run", "--rm", "--no-deps", "kafka-init")
    assert AdminClient(settings(shop, "user")).list_topics(timeout=SECONDS).topics
