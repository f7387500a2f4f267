"""The login at Kafka: complete or refused, and the same for every client."""

import pytest
from pydantic import SecretStr

from libs.messaging.kafka import clients
from libs.messaging.kafka.brokers import Account, KafkaConfig
from libs.runtime.config import BadConfiguration, load

BROKERS = {"KAFKA_BROKERS": "kafka:9092"}
LOGIN = {"KAFKA_SECURITY": "scram", "KAFKA_USERNAME": "order", "KAFKA_PASSWORD": "a-password-of-kafka"}


def test_without_security_the_address_is_all():
    assert load(KafkaConfig, BROKERS).brokers == "kafka:9092"
    assert load(KafkaConfig, BROKERS | LOGIN | {"KAFKA_SECURITY": "none"}).brokers == "kafka:9092"
    assert load(KafkaConfig, BROKERS | LOGIN | {"KAFKA_SECURITY": ""}).brokers == "kafka:9092"


def test_with_scram_an_account_belongs_to_it():
    brokers = load(KafkaConfig, BROKERS | LOGIN).brokers
    assert brokers == Account("kafka:9092", "order", SecretStr("a-password-of-kafka"))
    assert "a-password-of-kafka" not in repr(brokers)


@pytest.mark.parametrize("name", ["KAFKA_USERNAME", "KAFKA_PASSWORD"])
@pytest.mark.parametrize("value", [None, "", "   "])
def test_scram_needs_a_name_and_a_password(name, value):
    environ = BROKERS | LOGIN | ({} if value is None else {name: value})
    if value is None:
        del environ[name]
    with pytest.raises(BadConfiguration) as refused:
        load(KafkaConfig, environ)
    assert refused.value.problems == {name: "missing"}


@pytest.mark.parametrize("value", ["plain", "SCRAM", "ssl"])
def test_another_kind_of_security_is_refused(value):
    with pytest.raises(BadConfiguration) as refused:
        load(KafkaConfig, BROKERS | LOGIN | {"KAFKA_SECURITY": value})
    assert set(refused.value.problems) == {"KAFKA_SECURITY"}


def test_the_password_may_be_in_a_file(tmp_path):
    (tmp_path / "password").write_text("from-a-file\n")
    environ = BROKERS | LOGIN | {"KAFKA_PASSWORD": "", "KAFKA_PASSWORD_FILE": str(tmp_path / "password")}
    assert load(KafkaConfig, environ).brokers == Account("kafka:9092", "order", SecretStr("from-a-file"))


@pytest.mark.parametrize(
    ("make", "client"),
    [
        (clients.make_producer, "Producer"),
        (lambda brokers: clients.make_consumer(brokers, "group"), "Consumer"),
        (clients.make_admin, "AdminClient"),
    ],
)
def test_every_client_logs_in(monkeypatch, make, client):
    given = []
    monkeypatch.setattr(clients, client, given.append)
    make("kafka:9092")
    make(Account("kafka:9092", "order", SecretStr("a-password-of-kafka")))
    anonymous, account = given
    assert "security.protocol" not in anonymous
    assert account["bootstrap.servers"] == anonymous["bootstrap.servers"] == "kafka:9092"
    assert (account["security.protocol"], account["sasl.mechanism"]) == ("SASL_PLAINTEXT", "SCRAM-SHA-512")
    assert (account["sasl.username"], account["sasl.password"]) == ("order", "a-password-of-kafka")
