"""The environment variables of product_service."""

from pydantic import Field

from libs.messaging.brokers import KafkaConfig
from libs.runtime.config import MongoUri, SigningKey, WebConfig
from libs.runtime.logs import LogFormat


class Config(KafkaConfig, WebConfig):
    """Each field is a variable. Fields without a default are required: the process does not start without them."""

    mongo_uri: MongoUri  # mongodb://…/DATABASE on a replica set, because transactions need one
    jwt_secret: SigningKey  # checks access tokens; the same in every service
    jwt_issuer: str = "microshop"
    jwt_audience: str = "microshop"
    shop_currency: str = Field("USD", pattern=r"^[A-Z]{3}$")  # ISO 4217; of every price
    order_pending_limit: int = Field(
        1800, ge=1, le=604_800
    )  # seconds; order_service cancels an order that is pending for longer
    bind_host: str = "127.0.0.1"
    product_service_port: int = Field(8000, ge=1, le=65_535)
    log_level: str = "INFO"
    log_format: LogFormat = "json"
