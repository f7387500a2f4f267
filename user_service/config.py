"""The catalogue of what user_service reads from the environment."""

from pydantic import Field

from chassis.env import MongoUri, Secret, Settings, SigningKey
from chassis.logs import LogFormat


class Config(Settings):
    """Fields without a default are required; the process does not start without them."""

    mongo_uri: MongoUri  # mongodb://…/DATABASE, a replica set: transactions need one
    kafka_brokers: str  # host:port, … ; used by the worker only
    jwt_secret: SigningKey  # signs the access tokens; all services share it
    jwt_issuer: str = "microshop"
    jwt_audience: str = "microshop"
    access_token_seconds: int = Field(900, ge=60, le=86_400)
    bind_host: str = "127.0.0.1"
    user_service_port: int = Field(4000, ge=1, le=65_535)
    log_level: str = "INFO"
    log_format: LogFormat = "json"


class StaffPassword(Settings):
    """Read by the `staff` command alone: a password has no place on a command line."""

    staff_password: Secret | None = None
