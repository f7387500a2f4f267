"""Types of settings. Each refuses what can't work, so a process ends at its start and not at its first use.

A refusal says in words what the value is not. It never shows the value, because some values are secret.
"""

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, SecretStr

from libs.values.text import check_line, is_visible

LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")  # Docker's names may have underscores
MAX_HOST_CHARACTERS = 253
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def is_host_name(text: str) -> bool:
    """True for a DNS name or an IPv4 address. A name whose last label is a number is an address, or nothing."""
    labels = text.split(".")
    if len(text) > MAX_HOST_CHARACTERS or not all(map(LABEL.fullmatch, labels)):
        return False
    return is_ipv4(text) if labels[-1].isdigit() else True


def is_ipv4(text: str) -> bool:
    """True for four numbers with dots."""
    return _reads(IPv4Address, text)


def is_ipv6(text: str) -> bool:
    """True for an IPv6 address without brackets."""
    return _reads(IPv6Address, text)


def _reads(kind: Callable[[str], object], text: str) -> bool:
    try:
        kind(text)
    except AddressValueError:
        return False
    return True


def is_address(text: str, *, port: Literal["needed", "optional", "none"]) -> bool:
    """True for `host`, or `host:port`. An IPv6 address is in brackets."""
    bracketed, _, after = text.partition("]") if text.startswith("[") else ("", "", "")
    host, colon, number = ("", after[:1], after[1:]) if bracketed else text.partition(":")
    if not (is_ipv6(bracketed[1:]) if bracketed else is_host_name(host)) or colon not in ("", ":"):
        return False
    if not colon:
        return port != "needed"
    return port != "none" and number.isascii() and number.isdigit() and len(number) < 6 and 0 < int(number) < 65_536


def _require_host(text: str) -> str:
    if not is_host_name(text) and not is_ipv6(text):
        raise ValueError("is no host name and no address, such as db.example.com")
    return text


def _require_bind_host(text: str) -> str:
    if not is_address(text, port="none"):
        raise ValueError("is no address to listen on, such as 0.0.0.0 or [::]")
    return text


def _split_hosts(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """Host names, and patterns such as `.example.com` for a domain with its subdomains, or `*` for any."""
    hosts = tuple(filter(None, map(str.strip, text.split(",")))) if isinstance(text, str) else text
    if not all(host == "*" or is_address(host.removeprefix("."), port="none") for host in hosts):
        raise ValueError("is not a list of host names without scheme and port, such as desk.example,.example.com")
    return hosts


def _require_brokers(text: str) -> str:
    addresses = list(filter(None, map(str.strip, text.split(","))))
    if not addresses or not all(is_address(address, port="optional") for address in addresses):
        raise ValueError("is not host:port, or several with commas between")
    return text


def split_origins(text: str | frozenset[str]) -> frozenset[str]:
    """Origins as browsers send them (RFC 6454): lower case, and no port that is the scheme's own."""
    origins = frozenset(filter(None, map(str.strip, text.split(",")))) if isinstance(text, str) else text
    for origin in origins:
        scheme, _, host = origin.partition("://")
        own_port = {"http": ":80", "https": ":443"}.get(scheme)
        is_as_sent = origin == origin.lower() and own_port and not host.endswith(own_port)
        if not is_as_sent or not is_address(host, port="optional"):
            raise ValueError("is not a list of origins such as https://shop.example")
    return origins


def _require_bare_address(url: AnyHttpUrl) -> AnyHttpUrl:
    parts = urlsplit(str(url))
    if "?" in str(url) or "#" in str(url) or "@" in parts.netloc:
        raise ValueError("has more than scheme, host, port and path, such as https://shop.example")
    if not is_address(parts.netloc, port="optional"):
        raise ValueError("has no host such as shop.example, or a port that does not exist")
    return url


def _require_mongo_uri(value: SecretStr) -> SecretStr:
    scheme, _, rest = value.get_secret_value().partition("://")
    authority, _, tail = rest.partition("/")
    database, _, options = tail.partition("?")
    account, _, hosts = authority.rpartition("@")
    if scheme not in ("mongodb", "mongodb+srv") or not re.fullmatch(r"[^/\\. \"$*<>:|?\x00-\x1f]{1,63}", database):
        raise ValueError("is not mongodb://…/DATABASE")
    if "@" in account or account.count(":") > 1:
        raise ValueError("has a name or password with characters that are not percent-encoded")
    port: Literal["optional", "none"] = "none" if scheme == "mongodb+srv" else "optional"
    if not all(is_address(host, port=port) for host in hosts.split(",")):
        raise ValueError("has a host that is none, such as in mongodb://mongo:27017/DATABASE")
    if not all(re.fullmatch(r"[A-Za-z0-9_.]+=.+", option) for option in options.split("&") if options):
        raise ValueError("has options that are not name=value with & between")
    return value


def _upper(text: object) -> object:
    aliases = {"WARN": "WARNING", "FATAL": "CRITICAL"}
    return aliases.get(text.upper(), text.upper()) if isinstance(text, str) else text


def _require_one_of_the_levels(text: str) -> str:
    if text not in LEVELS:
        raise ValueError(f"is none of {', '.join(LEVELS)}")
    return text


def _require_line(longest: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            check_line(text)
        except ValueError:
            raise ValueError("has a character that is not allowed in a line of text") from None
        if not is_visible(text) or len(text) > longest:
            raise ValueError(f"is no visible text of at most {longest} characters")
        return text

    return check


def _require_identifier(longest: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        if len(text) > longest or not re.fullmatch(r"[!-~]+", text) or re.search(r"[/\\.`'\"]", text):
            raise ValueError(
                f"is no name of at most {longest} visible ASCII characters without dots, slashes and quotes"
            )
        return text

    return check


def _require_limit(text: str) -> str:
    if text != "off" and not RATE_LIMIT.fullmatch(text):
        raise ValueError("is not a limit such as 20/hour or 5/15minutes, or off")
    return text


RATE_LIMIT = re.compile(r"([1-9][0-9]{0,8}) ?(?:/|per) ?([1-9][0-9]{0,3})? ?(second|minute|hour|day|month)s?")

AccountName = Annotated[str, AfterValidator(_require_line(80))]
BindHost = Annotated[str, AfterValidator(_require_bind_host)]
BrokerList = Annotated[str, AfterValidator(_require_brokers)]
DatabaseName = Annotated[str, AfterValidator(_require_identifier(64))]
DisplayName = Annotated[str, AfterValidator(_require_line(200))]
Host = Annotated[str, AfterValidator(_require_host)]
HostPatterns = Annotated[tuple[str, ...], BeforeValidator(_split_hosts)]
LogLevel = Annotated[str, BeforeValidator(_upper), AfterValidator(_require_one_of_the_levels)]
MongoAddress = Annotated[SecretStr, AfterValidator(_require_mongo_uri)]
Origins = Annotated[frozenset[str], BeforeValidator(split_origins)]
RateLimitSpec = Annotated[str, AfterValidator(_require_limit)]
TokenParty = Annotated[str, AfterValidator(_require_line(200))]
"""The issuer of tokens, or their audience."""
WebAddress = Annotated[AnyHttpUrl, AfterValidator(_require_bare_address)]
"""The address of a service or a site, to which paths are added."""
