"""The catalogue of what order_service reads from the environment."""

import os

from pydantic import AnyHttpUrl, Field

from libs.runtime.config import BaseConfig, Secret, SigningKey, WebConfig
from libs.runtime.logs import LogFormat


class Config(WebConfig):
    """Fields without a default are required; the process does not start without them."""

    mysql_database: str
    mysql_user: str
    mysql_password: Secret
    mysql_host: str = "127.0.0.1"
    mysql_port: int = Field(3306, ge=1, le=65_535)
    kafka_brokers: str  # host:port, … ; used by the worker only
    jwt_secret: SigningKey  # checks the access tokens; all services share it
    jwt_issuer: str = "microshop"
    jwt_audience: str = "microshop"
    django_secret_key: SigningKey  # signs the desk's sessions
    # The other services, as the desk asks them: who signs in, what is in stock, how each of them does.
    user_service_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:4000")
    product_service_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8000")
    notification_service_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:5000")
    secure_cookies: bool = True  # off only where the desk is reached by plain http, as on a laptop
    allowed_hosts: str = ""  # host names, separated by commas, that clients may use beside those of loopback
    order_pending_limit: int = Field(
        1800, ge=60, le=604_800
    )  # seconds; then an order that the stock does not answer is cancelled
    bind_host: str = "127.0.0.1"
    order_service_port: int = Field(3000, ge=1, le=65_535)
    shop_name: str = "MicroShop"
    log_level: str = "INFO"
    log_format: LogFormat = "json"


class Migrator(BaseConfig):
    """Read by the `migrate` command alone: at run time no process has an account that may change tables. Without: mysql_user."""

    mysql_migrate_user: str | None = None
    mysql_migrate_password: Secret | None = None


def use_django_settings() -> None:
    """Tell Django where its settings are, before anything of it is imported."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "order_service.settings"  # noqa: TID251 -- Django's own switch
