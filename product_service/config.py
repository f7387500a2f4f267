"""The environment variables of product_service."""

from typing import Annotated

from iso_4217 import Currency
from pydantic import AfterValidator, Field

from libs.messaging.kafka.brokers import KafkaConfig
from libs.runtime.config import MongoUri, SigningKey, TraceConfig, WebConfig
from libs.runtime.logs import LogFormat
from libs.runtime.setting_types import BindHost, LogLevel, TokenParty


def _require_two_decimal_places(code: str) -> str:
    """API, columns and event schemas hold amounts with two places. Raises ValueError for other currencies and old ones."""
    currency = Currency.__members__.get(code)
    if currency is None:
        raise ValueError("is not a currency code of ISO 4217")
    if currency.subunit_exp != 2:
        raise ValueError("is a currency without two decimal places in ISO 4217: prices of this shop have two")
    return code


ShopCurrency = Annotated[str, AfterValidator(_require_two_decimal_places)]


class Config(KafkaConfig, WebConfig, TraceConfig):
    """Each field is a variable. Fields without a default are required: the process does not start without them."""

    mongo_uri: MongoUri  # mongodb://…/DATABASE on a replica set, because transactions need one
    jwt_secret: SigningKey  # checks access tokens; the same in every service
    jwt_issuer: TokenParty = "microshop"
    jwt_audience: TokenParty = "microshop"
    shop_currency: ShopCurrency = "USD"  # of each price that is set from now on
    bind_host: BindHost = "127.0.0.1"
    product_service_port: int = Field(8000, ge=1, le=65_535)
    log_level: LogLevel = "INFO"
    log_format: LogFormat = "json"
