"""The catalogue of what notification_service reads from the environment."""

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, AnyHttpUrl, EmailStr, Field, SecretStr

from libs.runtime.config import Secret, SigningKey, WebConfig
from libs.runtime.logs import LogFormat
from libs.values.text import Line

SmtpSecurity = Literal["starttls", "tls", "none"]
T = TypeVar("T", str, SecretStr)


def _require_ascii(value: T) -> T:
    text = value if isinstance(value, str) else value.get_secret_value()
    if not text.isascii():  # smtplib logs in with ASCII only, and would fail at each mail
        raise ValueError("is not ASCII")
    return value


class Config(WebConfig):
    """Fields without a default are required; the process does not start without them."""

    kafka_brokers: str  # host:port, …
    jwt_secret: SigningKey  # checks the access tokens; all services share it
    jwt_issuer: str = "microshop"
    jwt_audience: str = "microshop"
    smtp_server: str = "127.0.0.1"
    smtp_port: int = Field(587, ge=1, le=65_535)
    smtp_security: SmtpSecurity = (
        "starttls"  # none: in the clear and without a login, for a mail catcher on this machine
    )
    smtp_username: Annotated[str, AfterValidator(_require_ascii)]
    smtp_password: Annotated[Secret, AfterValidator(_require_ascii)]
    mail_concurrency: int = Field(
        4, ge=1, le=16
    )  # SMTP sessions that send at once; so many mails may repeat after a crash
    from_email: EmailStr  # the sender; its domain also ends each Message-ID
    shop_name: Line = "MicroShop"
    public_url: AnyHttpUrl | None = None  # where customers reach the shop and user_service's pages; mails link to it
    user_service_url: AnyHttpUrl = AnyHttpUrl(
        "http://127.0.0.1:4000"
    )  # has the links' pages when there is no public_url
    bind_host: str = "127.0.0.1"
    notification_service_port: int = Field(5000, ge=1, le=65_535)
    log_level: str = "INFO"
    log_format: LogFormat = "json"
