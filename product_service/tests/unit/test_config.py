"""A configuration is complete and plausible, or it is refused."""

import secrets

import pytest

from libs.runtime.config import BadConfiguration, load
from product_service.config import Config

REQUIRED = ("MONGO_URI", "KAFKA_BROKERS", "JWT_SECRET")


@pytest.fixture
def environ() -> dict[str, str]:
    return {
        "MONGO_URI": "mongodb://127.0.0.1/products?replicaSet=rs0",
        "KAFKA_BROKERS": "127.0.0.1:9092",
        "JWT_SECRET": secrets.token_urlsafe(32),
    }


def test_a_complete_environment_is_read(environ):
    config = load(Config, environ | {"PRODUCT_SERVICE_PORT": "8100", "SHOP_CURRENCY": "EUR"})
    assert (config.product_service_port, config.shop_currency) == (8100, "EUR")
    assert load(Config, environ).shop_currency == "USD"


@pytest.mark.parametrize("currency", ["JPY", "KWD", "CLF", "XAU", "XXX", "HRK", "ABC", "usd", "US", "DOLLARS"])
def test_a_currency_without_two_decimal_places_is_refused_in_words(environ, currency):
    with pytest.raises(BadConfiguration, match=r"SHOP_CURRENCY \(is .+ISO 4217") as refused:
        load(Config, environ | {"SHOP_CURRENCY": currency})
    assert set(refused.value.problems) == {"SHOP_CURRENCY"}


@pytest.mark.parametrize("currency", ["USD", "EUR", "GBP", "HUF", "MGA", "INR"])
def test_a_currency_with_two_decimal_places_is_taken(environ, currency):
    assert load(Config, environ | {"SHOP_CURRENCY": currency}).shop_currency == currency


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
        load(Config, {"SHOP_CURRENCY": "dollars", "PRODUCT_SERVICE_PORT": "0"})
    assert set(refused.value.problems) == {*REQUIRED, "SHOP_CURRENCY", "PRODUCT_SERVICE_PORT"}
