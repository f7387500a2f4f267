"""Kafka's accounts in Compose may do what the services' code does, and no more."""

import importlib

import pytest
from confluent_kafka.admin import AclOperation, ResourcePatternType, ResourceType

from contracts import EVENTS
from deploy.compose import kafka_init
from deploy.service_list import ROOT, SERVICES
from tests.architecture.test_services import groups

NAMES = {service.removesuffix("_service"): service for service in SERVICES}
RIGHTS = kafka_init.RIGHTS


def published(service):
    """The topics of the events that a service publishes, and those without a schema, which it has for itself."""
    names = importlib.import_module(f"{service}.events.topics").topics()
    private = {name for name in names if not name.endswith(".dlq") and not (EVENTS / f"{name}.v1.json").exists()}
    if not (ROOT / service / "events" / "published.py").exists():
        return private
    module = importlib.import_module(f"{service}.events.published")
    events = {value.topic for value in vars(module).values() if isinstance(getattr(value, "topic", None), str)}
    return private | events


def test_each_service_has_an_account_and_a_password():
    assert set(RIGHTS) == set(NAMES)
    assert {f"kafka_password_{name}" for name in (*NAMES, "admin")} == set(kafka_init.Config.model_fields)


@pytest.mark.parametrize(("name", "service"), NAMES.items())
def test_a_service_writes_what_it_publishes(name, service):
    assert set(RIGHTS[name].publishes) == published(service)


@pytest.mark.parametrize(("name", "service"), NAMES.items())
def test_a_service_has_rights_for_its_groups_and_their_topics(name, service):
    assert {group: set(topics) for group, topics in RIGHTS[name].groups.items()} == {
        group: set(topics) for group, topics in groups(service).items()
    }
    assert all(group.startswith(f"{name}-service") for group in RIGHTS[name].groups)


@pytest.mark.parametrize(("name", "service"), NAMES.items())
def test_a_service_has_a_right_for_each_of_its_topics_and_no_other(name, service):
    assert set(RIGHTS[name].of_topics()) == set(importlib.import_module(f"{service}.events.topics").topics())


def test_a_topic_has_one_service_that_writes_it():
    writers = {}
    for name, rights in RIGHTS.items():
        for topic, operations in rights.of_topics().items():
            if AclOperation.WRITE in operations:
                writers.setdefault(topic, []).append(name)
    assert all(len(names) == 1 for names in writers.values()), writers


def test_no_rule_is_about_the_cluster_or_about_all_topics():
    rules = list(kafka_init.rules())
    assert {rule.restype for rule in rules} == {ResourceType.TOPIC, ResourceType.GROUP}
    for rule in rules:
        assert rule.resource_pattern_type == ResourcePatternType.LITERAL or rule.restype == ResourceType.GROUP
        assert rule.name != "*"
        assert rule.operation in (AclOperation.READ, AclOperation.WRITE, AclOperation.CREATE)
