"""The configuration: complete and plausible, or nothing starts."""

import secrets

import pytest
from cryptography.fernet import Fernet

from libs.runtime.config import BadConfiguration, load
from user_service.config import Config

REQUIRED = ("MONGO_URI", "KAFKA_BROKERS", "JWT_SECRET", "ENCRYPTION_KEY")


@pytest.fixture
def environ() -> dict[str, str]:
    return {
        "MONGO_URI": "mongodb://127.0.0.1/users?replicaSet=rs0",
        "KAFKA_BROKERS": "127.0.0.1:9092",
        "JWT_SECRET": secrets.token_urlsafe(32),
        "ENCRYPTION_KEY": Fernet.generate_key().decode(),
    }


def test_a_complete_environment_is_read(environ):
    config = load(Config, environ | {"USER_SERVICE_PORT": "4100"})
    assert config.user_service_port == 4100
    assert config.jwt_issuer == "microshop"


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, "", "   "])
def test_a_required_variable_may_not_be_missing_empty_or_blank(environ, name, value):
    environ.pop(name)
    if value is not None:
        environ[name] = value
    with pytest.raises(BadConfiguration) as refused:
        load(Config, environ)
    assert set(refused.value.problems) == {name}


def test_all_bad_variables_are_named_at_once():
    with pytest.raises(BadConfiguration) as refused:
        load(Config, {})
    assert set(refused.value.problems) == set(REQUIRED)


@pytest.mark.parametrize(("seconds", "good"), [("59", False), ("60", True), ("3540", True), ("3541", False)])
def test_an_access_token_ends_before_its_revocation_is_deleted(environ, seconds, good):
    if good:
        assert load(Config, environ | {"ACCESS_TOKEN_SECONDS": seconds}).access_token_seconds == int(seconds)
        return
    with pytest.raises(BadConfiguration) as refused:
        load(Config, environ | {"ACCESS_TOKEN_SECONDS": seconds})
    assert set(refused.value.problems) == {"ACCESS_TOKEN_SECONDS"}


@pytest.mark.parametrize(("text", "good"), [("20/hour", True), ("5/15 minutes", True), ("off", True), ("many", False)])
def test_a_rate_limit_is_a_number_and_a_time_or_off(environ, text, good):
    if good:
        assert load(Config, environ | {"RATE_LIMIT_LOGIN": text}).rate_limit_login == text
        return
    with pytest.raises(BadConfiguration) as refused:
        load(Config, environ | {"RATE_LIMIT_LOGIN": text})
    assert set(refused.value.problems) == {"RATE_LIMIT_LOGIN"}
