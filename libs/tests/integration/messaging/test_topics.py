"""The settings of topics on a real broker."""

import secrets

import pytest
from confluent_kafka.admin import ConfigResource

from libs.messaging.kafka.clients import make_admin
from libs.messaging.kafka.topics import align_topics, create_topics


@pytest.fixture
def name():
    return f"t-{secrets.token_hex(4)}"


def settings(config):
    return {"partitions": 1, "config": config}


def config_of(kafka, name):
    resource = ConfigResource(ConfigResource.Type.TOPIC, name)
    admin = make_admin(kafka)
    found = admin.describe_configs([resource])[resource].result(10)
    return {key: found[key].value for key in ("cleanup.policy", "retention.ms")}


def test_a_topic_of_before_gets_the_settings_of_now_once(kafka, name):
    create_topics(kafka, {name: settings({"cleanup.policy": "delete", "retention.ms": "3600000"})})
    now = {name: settings({"cleanup.policy": "compact"})}
    assert align_topics(kafka, now) == [name]
    assert config_of(kafka, name) == {"cleanup.policy": "compact", "retention.ms": "604800000"}
    assert align_topics(kafka, now) == []


def test_a_topic_that_does_not_exist_is_left_out(kafka, name):
    assert align_topics(kafka, {name: settings({"cleanup.policy": "compact"})}) == []
    assert name not in make_admin(kafka).list_topics(timeout=10).topics
