"""The structure of docker-compose.yaml: what no engine is needed to see."""

import importlib
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
PACKAGES = {
    "user": "user_service",
    "product": "product_service",
    "order": "order_service",
    "notification": "notification_service",
}
OURS = {name: PACKAGES[name.partition("-")[0]] for name in SERVICES if name.partition("-")[0] in PACKAGES}
DOCUMENTED = {
    "user-web": 4000,
    "product-web": 8000,
    "order-web": 3000,
    "notification": 5000,
    "kafka-ui": 8080,
    "kafka": 29092,
    "mongo": 27017,
    "mysql": 3307,
}


def published(name):
    return [re.sub(r"\$\{\w+:-(\d+)\}", r"\1", port) for port in SERVICES[name].get("ports", [])]


@pytest.mark.parametrize(("name", "port"), DOCUMENTED.items())
def test_the_documented_ports_are_published_on_loopback(name, port):
    assert published(name)[0].startswith(f"127.0.0.1:{port}:")


def test_nothing_else_is_published_and_nothing_beyond_loopback():
    ports = [port for name in SERVICES for port in published(name)]
    assert {int(port.split(":")[1]) for port in ports} == {*DOCUMENTED.values(), 1025, 8025}
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_from_elsewhere_is_pinned(name):
    service = SERVICES[name]
    assert "build" in service or re.fullmatch(r"[a-z./-]+:v?\d+(\.\d+)+", service["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_exists_and_can_be_waited_for(name):
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        if wait["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert wait["condition"] == "service_completed_successfully"
            assert SERVICES[other]["restart"] == "on-failure"


@pytest.mark.parametrize("name", OURS)
def test_a_service_gets_every_required_variable_and_none_it_does_not_read(name):
    fields = importlib.import_module(f"{OURS[name]}.config").Config.model_fields
    given = set(SERVICES[name]["environment"])
    assert {field.upper() for field, info in fields.items() if info.is_required()} <= given
    assert given <= {field.upper() for field in fields}


def test_every_secret_must_be_set():
    names = set(re.findall(r"\$\{(\w*(?:SECRET|PASSWORD|KEYFILE|SECRET_KEY))(?!\w)", TEXT))
    assert names
    for name in names:
        assert re.findall(rf"\$\{{{name}(?!:\?)(?=[:}}-])", TEXT) == []


@pytest.mark.parametrize("name", OURS)
def test_our_containers_write_nowhere_and_leave_in_peace(name):
    service = SERVICES[name]
    assert service["read_only"]
    assert service["tmpfs"] == ["/tmp"]
    assert service["build"]["dockerfile"] == f"{OURS[name]}/Dockerfile"
    assert (ROOT / OURS[name] / "Dockerfile").exists()
    if service["restart"] == "unless-stopped":
        assert service["stop_grace_period"] == "45s"
        assert "healthcheck" in service
        assert "mem_limit" in service


def test_workers_are_not_reached_from_outside():
    assert {name for name in OURS if name.endswith("-worker")} == {"user-worker", "product-worker", "order-worker"}
    for name in OURS:
        if name.endswith("-worker"):
            assert SERVICES[name]["networks"] == ["shop"]
    assert COMPOSE["networks"]["shop"]["internal"]


def test_every_variable_is_explained_in_the_example():
    example = (ROOT / "env.example").read_text()
    explained = set(re.findall(r"^#?\s?(\w+)=", example, re.MULTILINE))
    assert set(re.findall(r"\$\{(\w+)", TEXT)) <= explained
