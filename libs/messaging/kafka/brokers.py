"""The brokers' address, with the account of this service where they require one, and its variables."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from libs.runtime.config import BaseConfig, Secret
from libs.runtime.setting_types import AccountName, BrokerList

KafkaSecurity = Literal["none", "scram"]


@dataclass(frozen=True)
class Account:
    """An address with a login by SASL/SCRAM-SHA-512 (RFC 5802). The connection is not encrypted."""

    brokers: str
    username: str
    password: SecretStr


Brokers = str | Account
"""`host:port,…` of brokers that accept anonymous clients, or an account at the brokers."""


class KafkaConfig(BaseConfig):
    """The variables of each service that uses Kafka."""

    kafka_brokers: BrokerList  # host:port, …
    kafka_security: KafkaSecurity = "none"  # scram: log in with the account below
    kafka_username: AccountName | None = Field(None, validate_default=True)
    kafka_password: Secret | None = Field(None, validate_default=True)

    @field_validator("kafka_username", "kafka_password")
    @classmethod
    def _require_account(cls, value: str | SecretStr | None, info: ValidationInfo) -> str | SecretStr | None:
        if value is None and info.data.get("kafka_security") == "scram":
            raise ValueError("missing")
        return value

    @property
    def brokers(self) -> Brokers:
        """The brokers, with the account unless `kafka_security` is none."""
        if self.kafka_security == "none" or self.kafka_username is None or self.kafka_password is None:
            return self.kafka_brokers
        return Account(self.kafka_brokers, self.kafka_username, self.kafka_password)
