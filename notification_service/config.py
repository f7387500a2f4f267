"""Every environment variable that notification_service reads."""

from datetime import UTC
from typing import Annotated, Literal, TypeVar

from email_validator import validate_email
from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, SecretStr

from libs.messaging.kafka.brokers import KafkaConfig
from libs.runtime.config import OnOff, Secret, SigningKey, TraceConfig, WebConfig
from libs.runtime.logs import LogFormat
from libs.runtime.setting_types import RATE_LIMIT, BindHost, DisplayName, Host, LogLevel, TokenParty, WebAddress
from libs.values.time_zone import TimeZone

SmtpSecurity = Literal["starttls", "tls", "none"]
T = TypeVar("T", str, SecretStr)


def _split_seconds(text: str | tuple[float, ...]) -> tuple[float, ...]:
    try:
        seconds = tuple(map(float, text.split(","))) if isinstance(text, str) else text
    except ValueError:  # its text holds the value
        seconds = (0.0,)
    if not all(0 < second <= 86_400 for second in seconds):
        raise ValueError("is not a list of seconds such as 60,300")
    return seconds


PERIODS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0, "month": 30 * 86_400.0}


def _read_limit(text: str | tuple[int, float] | None) -> tuple[int, float] | None:
    """A number and its period in seconds, of a text such as 20/hour or 5/15minutes. None: off."""
    if not isinstance(text, str):
        return text
    if text == "off":
        return None
    if not (found := RATE_LIMIT.fullmatch(text)):
        raise ValueError("is not a limit such as 20/hour, or off")
    return int(found[1]), int(found[2] or 1) * PERIODS[found[3]]


MailLimit = Annotated[tuple[int, float] | None, BeforeValidator(_read_limit)]
Pauses = Annotated[tuple[float, ...], BeforeValidator(_split_seconds)]


def _require_ascii(value: T) -> T:
    text = value if isinstance(value, str) else value.get_secret_value()
    if not text.isascii() or not text.isprintable():  # smtplib logs in with ASCII only, and a NUL ends the name
        raise ValueError("is not printable ASCII")
    return value


def _require_email(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except ValueError:  # its text holds the value
        raise ValueError("is not one e-mail address such as shop@example.com") from None


class Config(KafkaConfig, WebConfig, TraceConfig):
    """A field without a default is required. Without it the process does not start."""

    jwt_secret: SigningKey  # checks the access tokens; all services share it
    jwt_issuer: TokenParty = "microshop"
    jwt_audience: TokenParty = "microshop"
    smtp_server: Host = "127.0.0.1"
    smtp_port: int = Field(587, ge=1, le=65_535)
    smtp_security: SmtpSecurity = "starttls"  # none: no encryption and no login, for a mail catcher on this machine
    smtp_username: Annotated[str, AfterValidator(_require_ascii)]
    smtp_password: Annotated[Secret, AfterValidator(_require_ascii)]
    mail_concurrency: int = Field(4, ge=1, le=16)  # mails sent at once; as many may be sent again after a crash
    smtp_seconds: float = Field(15, gt=0, le=15)  # for a mail up to its final dot; a consumer waits 20 s for it.
    mail_answer_seconds: float = Field(600, gt=0, le=3600)  # for the answer to the final dot (RFC 5321 4.5.3.2.6).
    mail_retry_hours: float = Field(24, ge=0, le=168)  # the sum of the pauses between tries of a mail that is put off.
    mail_retry_pauses: Pauses = (60, 300, 900, 1800, 3600)  # seconds; the last one is repeated.
    mail_doubt_pauses: Pauses = (120, 1200)  # seconds before each repeat of a mail whose answer never came.
    mail_parked: int = Field(50_000, ge=1, le=1_000_000)  # with so many parked mails no new event is handled.
    rate_limit_mails: MailLimit = (
        20,
        3600.0,
    )  # to a recipient whose address was never verified; user_service has it, too
    smtp_utf8: OnOff = False  # True: the server takes addresses whose local part is not ASCII (RFC 6531)
    from_email: Annotated[str, AfterValidator(_require_email)]  # the sender; its domain also ends each Message-ID
    shop_name: DisplayName = "MicroShop"
    public_url: WebAddress | None = None  # the address of the shop and of user_service's pages, which mails link to
    user_service_url: WebAddress = AnyHttpUrl("http://127.0.0.1:4000")  # what mails link to without a public_url
    desk_url: WebAddress = AnyHttpUrl("http://127.0.0.1:3000/admin/")  # where the desk's pages begin, for browsers
    bind_host: BindHost = "127.0.0.1"
    notification_service_port: int = Field(5000, ge=1, le=65_535)
    shop_time_zone: TimeZone = UTC  # for people: the times in mails. Programs get UTC.
    log_level: LogLevel = "INFO"
    log_format: LogFormat = "json"
