"""The catalogue of what product_service reads from the environment."""

from pydantic import Field

from libs.runtime.config import MongoUri, SigningKey, WebConfig
from libs.runtime.logs import LogFormat


class Config(WebConfig):
    """Fields without a default are required; the process does not start without them."""

    mongo_uri: MongoUri  # mongodb://…/DATABASE, a replica set: transactions need one
    kafka_brokers: str  # host:port, … ; used by the worker only
    jwt_secret: SigningKey  # checks the access tokens; all services share it
    jwt_issuer: str = "microshop"
    jwt_audience: str = "microshop"
    shop_currency: str = Field("USD", pattern=r"^[A-Z]{3}$")  # ISO 4217; of every price
    order_pending_limit: int = Field(1800, ge=1, le=604_800)  # seconds; how long order_service lets an order wait
    bind_host: str = "127.0.0.1"
    product_service_port: int = Field(8000, ge=1, le=65_535)
    log_level: str = "INFO"
    log_format: LogFormat = "json"
