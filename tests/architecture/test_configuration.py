"""No service starts with a configuration that is incomplete or implausible, and none has a secret of its own."""

import importlib
import os
import re
import subprocess
import sys

import pytest

from deploy.service_list import ROOT, SERVICES
from libs.runtime.config import BadConfiguration, is_secret, load
from tests.architecture.compose import commands

CONFIGS = {service: importlib.import_module(f"{service}.config").Config for service in SERVICES}


REQUIRED = [
    (service, name.upper())
    for service, config in CONFIGS.items()
    for name, info in config.model_fields.items()
    if info.is_required()
]
SECRETS = [
    (service, name.upper())
    for service, config in CONFIGS.items()
    for name, info in config.model_fields.items()
    if is_secret(info.annotation)
]


def refused(service, **changes):
    with pytest.raises(BadConfiguration) as error:
        load(CONFIGS[service], {**os.environ, **changes})
    return set(error.value.problems)


@pytest.mark.parametrize(("service", "name"), REQUIRED)
@pytest.mark.parametrize("value", ["", "   "])
def test_a_required_variable_may_not_be_empty_or_blank(service, name, value):
    assert refused(service, **{name: value}) == {name}


@pytest.mark.parametrize(("service", "name"), REQUIRED)
def test_a_required_variable_may_not_be_absent(service, name):
    environ = {key: value for key, value in os.environ.items() if key != name}
    with pytest.raises(BadConfiguration) as error:
        load(CONFIGS[service], environ)
    assert set(error.value.problems) == {name}


@pytest.mark.parametrize(("service", "name"), SECRETS)
@pytest.mark.parametrize("value", ["changeme", "secret", "password", "your-secret-key-of-more-than-32-bytes"])
def test_a_placeholder_is_no_secret(service, name, value):
    assert refused(service, **{name: value}) == {name}


def test_two_secrets_of_a_service_may_not_be_the_same():
    same = "the-same-secret-of-more-than-32-bytes"
    assert refused("order_service", JWT_SECRET=same, DJANGO_SECRET_KEY=same) == {"JWT_SECRET", "DJANGO_SECRET_KEY"}


@pytest.mark.parametrize(("service", "name"), SECRETS)
def test_no_secret_has_a_default(service, name):
    assert CONFIGS[service].model_fields[name.lower()].default in (None, ...) or name.lower() in required_of(service)


def required_of(service):
    return {name.lower() for owner, name in REQUIRED if owner == service}


KNOWN = ("web", "worker", "check-config")
PROCESSES = [(service, command) for service in SERVICES for command in KNOWN if command in commands(service)]


@pytest.mark.parametrize(("service", "command"), PROCESSES)
def test_a_process_without_configuration_ends_with_status_78_and_one_line(service, command):
    ended = subprocess.run(
        [sys.executable, "-m", service, command],
        env={"PATH": os.defpath},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    named = {name for owner, name in REQUIRED if owner == service}
    assert ended.returncode == 78, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert named == set(re.findall(r"[A-Z][A-Z_]+", ended.stderr))
