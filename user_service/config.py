"""The catalogue of what user_service reads from the environment."""

from typing import Annotated, Literal

from limits import parse
from pydantic import AfterValidator, Field

from libs.runtime.config import BaseConfig, MongoUri, Secret, SigningKey, WebConfig
from libs.runtime.logs import LogFormat


def _require_limit(text: str) -> str:
    if text != "off":
        parse(text)  # ValueError
    return text


RateLimit = Annotated[str, AfterValidator(_require_limit)]  # such as 20/hour or 5/15minutes, or off


class Config(WebConfig):
    """Fields without a default are required; the process does not start without them."""

    mongo_uri: MongoUri  # mongodb://…/DATABASE, a replica set: transactions need one
    kafka_brokers: str  # host:port, … ; used by the worker only
    jwt_secret: SigningKey  # signs the access tokens; all services share it
    jwt_issuer: str = "microshop"
    jwt_audience: str = "microshop"
    access_token_seconds: int = Field(900, ge=60, le=86_400)
    refresh_token_seconds: int = Field(30 * 86_400, ge=60)  # how long a session lasts at most
    rate_limit_register: RateLimit = "20/hour"  # an address
    rate_limit_login: RateLimit = "5/15minutes"  # failures, an account and address
    rate_limit_reset: RateLimit = "5/hour"  # an account and address
    staff_totp: Literal["optional", "required"] = "optional"  # required: roles count only after a login with a code
    order_service_url: str = "http://127.0.0.1:3000"  # asked for the orders of an export
    shop_name: str = "MicroShop"
    bind_host: str = "127.0.0.1"
    user_service_port: int = Field(4000, ge=1, le=65_535)
    log_level: str = "INFO"
    log_format: LogFormat = "json"


class StaffPassword(BaseConfig):
    """Read by the `staff` command alone: a password has no place on a command line."""

    staff_password: Secret | None = None
