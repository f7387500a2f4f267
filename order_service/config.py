"""Every environment variable that order_service reads, and the setup of Django."""

import logging
import os
import re
from datetime import UTC
from typing import Annotated

import django
from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, ValidationInfo, field_validator

from libs.access.encryption import EncryptionKey
from libs.messaging.kafka.brokers import KafkaConfig
from libs.runtime.config import BaseConfig, OnOff, Secret, SigningKey, TraceConfig, WebConfig
from libs.runtime.logs import LogFormat, configure_logs
from libs.runtime.setting_types import (
    AccountName,
    BindHost,
    DatabaseName,
    DisplayName,
    Host,
    HostPatterns,
    LogLevel,
    TokenParty,
    WebAddress,
)
from libs.runtime.telemetry.otel import start_tracing
from libs.values.time_zone import TimeZone


def _or_off(value: object) -> object:
    return None if value == "off" else value


def _require_trace_url(text: str | None) -> str | None:
    if text and not (re.match(r"https?://[^/]", text) and text.count("{traceId}") == 1):
        raise ValueError("is not an address with {traceId}, such as http://127.0.0.1:9411/zipkin/traces/{traceId}")
    return text


class Config(KafkaConfig, WebConfig, TraceConfig):
    """Fields without a default are required; the process does not start without them."""

    mysql_database: DatabaseName
    mysql_user: AccountName
    mysql_password: Secret
    mysql_host: Host = "127.0.0.1"
    mysql_port: int = Field(3306, ge=1, le=65_535)
    jwt_secret: SigningKey  # checks the access tokens; all services share it
    encryption_key: EncryptionKey  # encrypts the tokens that the desk keeps
    jwt_issuer: TokenParty = "microshop"
    jwt_audience: TokenParty = "microshop"
    django_secret_key: SigningKey  # signs the desk's sessions
    # The other services, which the desk calls for sign-in, stock and health.
    user_service_url: WebAddress = AnyHttpUrl("http://127.0.0.1:4000")
    product_service_url: WebAddress = AnyHttpUrl("http://127.0.0.1:8000")
    notification_service_url: WebAddress = AnyHttpUrl("http://127.0.0.1:5000")
    secure_cookies: OnOff = True  # False only where browsers use the desk by plain HTTP, as on a laptop.
    allowed_hosts: HostPatterns = ()  # host names that clients may use besides those of loopback; .NAME: and its subdomains.
    # Seconds from the publication of a reservation request without a reply to the cancellation of its order. product_service
    # keeps earlier prices for 14 days, which is longer than the limit and the retention of the request's topic together.
    order_pending_limit: int = Field(1800, ge=60, le=604_800)
    # How many pieces an account whose address is not verified may have in pending and confirmed orders. off: any number.
    unverified_open_pieces: Annotated[int | None, Field(ge=0, le=1_000_000_000), BeforeValidator(_or_off)] = 100
    bind_host: BindHost = "127.0.0.1"
    trace_url: Annotated[str | None, AfterValidator(_require_trace_url)] = (
        None  # of the page of a trace, with {traceId}
    )
    order_service_port: int = Field(3000, ge=1, le=65_535)
    shop_name: DisplayName = "MicroShop"
    shop_time_zone: TimeZone = UTC  # for people: the days, pages and files of the desk. Programs get UTC.
    log_level: LogLevel = "INFO"
    log_format: LogFormat = "json"


class Migrator(BaseConfig):
    """Read by the `migrate` command only: other processes have no account that may change tables. Default: mysql_user."""

    mysql_migrate_user: AccountName | None = None
    mysql_migrate_password: Secret | None = Field(None, validate_default=True)

    @field_validator("mysql_migrate_password")
    @classmethod
    def _require_password(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        if value is None and info.data.get("mysql_migrate_user"):
            raise ValueError("missing")
        return value


def use_django_settings() -> None:
    """Name the settings module, before Django reads it."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "order_service.settings"  # noqa: TID251 -- Django's own switch


def setup_django(name: str, config: Config) -> None:
    """Start the logs under `name`, then Django: models and use cases are importable afterwards."""
    configure_logs(name, config.log_level, config.log_format)
    start_tracing(name, config, config.jwt_secret.get_secret_value().encode())
    logging.getLogger("django.request").setLevel(logging.CRITICAL)  # libs.web.drf logs requests, without raw paths
    use_django_settings()
    django.setup(set_prefix=False)
