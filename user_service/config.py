"""Every environment variable that user_service reads."""

from typing import Literal

from pydantic import AnyHttpUrl, Field

from libs.access.encryption import EncryptionKey
from libs.messaging.kafka.brokers import KafkaConfig
from libs.runtime.config import BaseConfig, MongoUri, OnOff, Secret, SigningKey, TraceConfig, WebConfig
from libs.runtime.logs import LogFormat
from libs.runtime.setting_types import BindHost, DisplayName, LogLevel, RateLimitSpec, TokenParty, WebAddress


class Config(KafkaConfig, WebConfig, TraceConfig):
    """Fields without a default are required: a process does not start without them."""

    mongo_uri: MongoUri  # mongodb://…/DATABASE of a replica set, because transactions need one
    jwt_secret: SigningKey  # signs access and refresh tokens, shared by all services
    encryption_key: EncryptionKey  # encrypts the secrets of authenticators
    jwt_issuer: TokenParty = "microshop"
    jwt_audience: TokenParty = "microshop"
    access_token_seconds: int = Field(900, ge=60, le=3540)  # revocations are kept for an hour, and clocks differ
    refresh_token_seconds: int = Field(30 * 86_400, ge=60, le=315_360_000)  # the longest time that a session lasts.
    refresh_grace: int = Field(10, ge=0, le=60)  # Seconds in which a used refresh token gets its successor again.
    rate_limit_register: RateLimitSpec = "20/hour"  # per address
    rate_limit_login: RateLimitSpec = "5/15minutes"  # wrong passwords, per account and address
    rate_limit_code: RateLimitSpec = "20/hour"  # wrong codes, per account: there are only a million codes
    rate_limit_failures: RateLimitSpec = "100/15minutes"  # failed logins, per address
    rate_limit_reset: RateLimitSpec = "5/hour"  # per account and address
    rate_limit_verify: RateLimitSpec = "5/hour"  # resends of the verification mail and changes of address, per account.
    rate_limit_mails: RateLimitSpec = "20/hour"  # mails with links, per recipient.
    rate_limit_links: RateLimitSpec = "60/hour"  # requests of mails with links, per client address.
    rate_limit_export: RateLimitSpec = "10/hour"  # per account.
    staff_totp: Literal["optional", "required"] = "optional"  # required: roles count only with an authenticator
    smtp_utf8: OnOff = False  # True: the SMTP server takes addresses that are not ASCII before the @ (RFC 6531)
    order_service_url: WebAddress = AnyHttpUrl("http://127.0.0.1:3000")  # has the orders for an export
    shop_name: DisplayName = "MicroShop"
    bind_host: BindHost = "127.0.0.1"
    user_service_port: int = Field(4000, ge=1, le=65_535)
    log_level: LogLevel = "INFO"
    log_format: LogFormat = "json"


class StaffPassword(BaseConfig):
    """The variable of the command `staff`: other users of the machine can read the arguments of a command."""

    staff_password: Secret | None = None
