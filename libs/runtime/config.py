"""Configuration from the environment. The process starts only when it is complete and plausible.

A service declares a `BaseConfig` subclass. Field `jwt_secret` is read from `JWT_SECRET`, or from the file in `JWT_SECRET_FILE`.
A value that is empty or blank counts as missing.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from libs.runtime.setting_types import MongoAddress, Origins

EX_CONFIG = 78  # sysexits.h: "configuration error"
PLACEHOLDERS = frozenset(
    {"changeme", "change-me", "secret", "password", "placeholder", "example", "todo", "xxx", "root"}
)


class BadConfiguration(Exception):
    """Raised with the name of each bad variable and the reason. It holds no value."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__(", ".join(f"{name} ({why})" for name, why in sorted(self.problems.items())))


def _is_placeholder(value: str) -> bool:
    text = value.strip().strip("<>").casefold()
    return text in PLACEHOLDERS or text.startswith(("your-", "your_", "changeme", "change-me", "replace-"))


def _refuse_placeholder(value: SecretStr) -> SecretStr:
    if _is_placeholder(value.get_secret_value()):
        raise ValueError("is a placeholder")
    return value


def _require_32_bytes(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value().encode()) < 32:  # RFC 7518 3.2: a key at least as long as the hash
        raise ValueError("is shorter than 32 bytes")
    return value


def _refuse_placeholder_in_address(value: SecretStr) -> SecretStr:
    if _is_placeholder(urlsplit(value.get_secret_value()).password or ""):
        raise ValueError("has a placeholder as its password")
    return value


def _switch(text: object) -> object:
    if text not in ("on", "off", True, False):
        raise ValueError("is neither on nor off")
    return text in ("on", True)


OnOff = Annotated[bool, BeforeValidator(_switch)]
Secret = Annotated[SecretStr, AfterValidator(_refuse_placeholder)]
SigningKey = Annotated[SecretStr, AfterValidator(_refuse_placeholder), AfterValidator(_require_32_bytes)]
MongoUri = Annotated[MongoAddress, AfterValidator(_refuse_placeholder_in_address)]


class BaseConfig(BaseModel):
    """Base of a service's configuration. Its fields are the catalogue of the variables that the service reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


S = TypeVar("S", bound=BaseConfig)


class WebConfig(BaseConfig):
    """The variables that every web process reads."""

    cors_origins: Origins = (
        frozenset()
    )  # other sites, such as https://shop.example, whose scripts may read the responses
    proxy_count: int = Field(
        0, ge=0, le=5
    )  # number of reverse proxies in front, whose X-Forwarded-* headers are trusted
    # Seconds in which the head of a request must arrive. Its body has as long, and the time for its length at the minimum rate.
    request_seconds: float = Field(10.0, ge=1, le=300, allow_inf_nan=False)
    request_min_rate: int = Field(1024, ge=1, le=1_000_000)  # bytes a second


class TraceConfig(BaseConfig):
    """The variables of traces. Without an endpoint there are none."""

    otel_exporter_otlp_endpoint: HttpUrl | None = None  # of a collector, such as http://127.0.0.1:4318
    otel_exporter_zipkin_endpoint: HttpUrl | None = None  # such as http://127.0.0.1:9411/api/v2/spans
    otel_traces_sampler_arg: float = Field(0.1, ge=0, le=1, allow_inf_nan=False)  # the share of the requests
    trace_trust: OnOff = False  # take the sampled flag that clients send


def _read(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "").strip()
    if not value and (path := environ.get(f"{name}_FILE", "").strip()):
        value = Path(path).read_text(encoding="utf-8-sig").strip()
    return value


def load(settings: type[S], environ: Mapping[str, str] | None = None) -> S:
    """Read `settings` from `environ` (default: the process's). Raises BadConfiguration, which names all problems."""
    environ = os.environ if environ is None else environ
    values: dict[str, str] = {}
    problems: dict[str, str] = {}
    for field in settings.model_fields:
        try:
            if value := _read(field.upper(), environ):
                values[field] = value
        except (OSError, UnicodeDecodeError):
            problems[field.upper()] = "file can't be read"
    secrets = [field for field, info in settings.model_fields.items() if is_secret(info.annotation)]
    for field in secrets:
        if any(values.get(field) == values.get(other) is not None for other in secrets if other != field):
            problems[field.upper()] = "is the same as another secret"
    try:
        loaded = settings.model_validate(values)
    except ValidationError as error:
        problems = {str(e["loc"][0]).upper(): _reason(e) for e in error.errors(include_input=False)} | problems
    if problems:
        raise BadConfiguration(problems)
    return loaded


def is_secret(annotation: Any) -> bool:
    """True for SecretStr, and for a union or an annotated type that holds it."""
    return annotation is SecretStr or any(map(is_secret, get_args(annotation)))


REASONS = {
    "missing": "missing",
    "int_parsing": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_parsing": "is not a number",
    "finite_number": "is not a number",
    "literal_error": "is none of {expected}",
    "greater_than": "is not more than {gt}",
    "greater_than_equal": "is less than {ge}",
    "less_than_equal": "is more than {le}",
    "url_parsing": "is no address such as https://shop.example",
    "url_scheme": "is no address with http:// or https://",
}
"""An error of the library, and what the value is not. Errors of our types have words of their own."""


def _reason(error: ErrorDetails) -> str:
    ctx = error.get("ctx", {})
    return str(ctx.get("error") or REASONS.get(error["type"], "is not valid").format_map(ctx))


def load_or_exit(settings: type[S], service: str) -> S:
    """As `load`. A bad configuration ends the process with status 78 and one line on stderr."""
    try:
        return load(settings)
    except BadConfiguration as error:
        sys.stderr.write(f"{service} does not start: bad configuration: {error}\n")  # the logs need a configuration too
        sys.exit(EX_CONFIG)
