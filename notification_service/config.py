"""Every environment variable that notification_service reads."""

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, AnyHttpUrl, EmailStr, Field, SecretStr

from libs.runtime.config import Secret, SigningKey, WebConfig
from libs.runtime.logs import LogFormat
from libs.values.text import Line

SmtpSecurity = Literal["starttls", "tls", "none"]
T = TypeVar("T", str, SecretStr)


def _require_ascii(value: T) -> T:
    text = value if isinstance(value, str) else value.get_secret_value()
    if not text.isascii():  # smtplib logs in with ASCII only, so each mail would fail
        raise ValueError("is not ASCII")
    return value


class Config(WebConfig):
    """A field without a default is required. Without it the process does not start."""

    kafka_brokers: str  # host:port, …
    jwt_secret: SigningKey  # checks the access tokens; all services share it
    jwt_issuer: str = "microshop"
    jwt_audience: str = "microshop"
    smtp_server: str = "127.0.0.1"
    smtp_port: int = Field(587, ge=1, le=65_535)
    smtp_security: SmtpSecurity = "starttls"  # none: no encryption and no login, for a mail catcher on this machine
    smtp_username: Annotated[str, AfterValidator(_require_ascii)]
    smtp_password: Annotated[Secret, AfterValidator(_require_ascii)]
    mail_concurrency: int = Field(4, ge=1, le=16)  # mails sent at once; as many may be sent again after a crash
    from_email: EmailStr  # the sender; its domain also ends each Message-ID
    shop_name: Line = "MicroShop"
    public_url: AnyHttpUrl | None = None  # the address of the shop and of user_service's pages, which mails link to
    user_service_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:4000")  # what mails link to without a public_url
    desk_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:3000/admin/")  # where the desk's pages begin, for browsers
    bind_host: str = "127.0.0.1"
    notification_service_port: int = Field(5000, ge=1, le=65_535)
    log_level: str = "INFO"
    log_format: LogFormat = "json"
