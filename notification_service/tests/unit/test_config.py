"""The configuration: the service starts only with a complete and plausible one."""

import os

import pytest

from libs.runtime.config import BadConfiguration, load
from notification_service.config import Config

REQUIRED = {"KAFKA_BROKERS", "JWT_SECRET", "SMTP_USERNAME", "SMTP_PASSWORD", "FROM_EMAIL"}


def test_all_missing_variables_are_named_at_once():
    with pytest.raises(BadConfiguration) as refused:
        load(Config, {})
    assert set(refused.value.problems) == REQUIRED


def test_mails_are_sent_over_a_verified_connection_by_default():
    names = {name: os.environ[name] for name in REQUIRED}
    assert load(Config, names).smtp_security == "starttls"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_SECURITY", "ssl"),
        ("SMTP_PORT", "0"),
        ("SMTP_PORT", "mail"),
        ("MAIL_CONCURRENCY", "0"),
        ("MAIL_CONCURRENCY", "17"),
        ("SMTP_SECONDS", "16"),
        ("MAIL_ANSWER_SECONDS", "-7"),
        ("MAIL_RETRY_HOURS", "-1"),
        ("MAIL_RETRY_PAUSES", "1,,2"),
        ("MAIL_DOUBT_PAUSES", "soon"),
        ("MAIL_PARKED", "0"),
        ("RATE_LIMIT_MAILS", "twenty"),
        ("SMTP_UTF8", "yes"),
        ("FROM_EMAIL", "MicroShop"),
        ("PUBLIC_URL", "shop"),
        ("SHOP_NAME", "Micro\nShop"),
        ("SHOP_TIME_ZONE", "CEST"),
        ("SHOP_TIME_ZONE", "+02:00"),
        ("SHOP_TIME_ZONE", "localtime"),
        ("SMTP_PASSWORD", "your-password"),
        ("SMTP_PASSWORD", "pässwörd-of-the-shop"),
        ("SMTP_USERNAME", "häns"),
    ],
)
def test_an_implausible_value_is_refused_by_name(name, value):
    with pytest.raises(BadConfiguration) as refused:
        load(Config, {**os.environ, name: value})
    assert set(refused.value.problems) == {name}
    assert value not in str(refused.value)


def test_limits_and_pauses_are_read_as_they_are_written():
    environ = {**os.environ, "RATE_LIMIT_MAILS": "5/15minutes", "MAIL_DOUBT_PAUSES": "120, 1200"}
    config = load(Config, environ)
    assert (config.rate_limit_mails, config.mail_doubt_pauses) == ((5, 900.0), (120.0, 1200.0))
    assert load(Config, {**environ, "RATE_LIMIT_MAILS": "off"}).rate_limit_mails is None
    required = {name: os.environ[name] for name in REQUIRED}
    assert load(Config, required).rate_limit_mails == (20, 3600.0)
