"""What routes take from the application and from the connection of a request."""

import socket
from typing import cast
from urllib.parse import urlsplit

from flask import current_app, request

from libs.access.encryption import Encryption
from libs.access.tokens import AccessTokens
from libs.values.client_address import network_of
from libs.values.email_address import email_key
from user_service.config import Config
from user_service.domain.session import Device
from user_service.domain.user import require_ascii_local_part
from user_service.store.dummy_hashes import DummyHashes
from user_service.store.limits.mail_limits import MailLimits
from user_service.store.limits.rate_limits import Limiter, LoginLimits, RateLimit


def config() -> Config:
    """The configuration of this process."""
    return cast(Config, current_app.extensions["config"])


def access_tokens() -> AccessTokens:
    """The object that signs and checks access tokens."""
    return cast(AccessTokens, current_app.extensions["tokens"])


def encryption() -> Encryption:
    """The object that encrypts and decrypts the secrets of authenticators."""
    return cast(Encryption, current_app.extensions["encryption"])


def dummy_hashes() -> DummyHashes:
    """What the passwords for unknown addresses are compared with."""
    return cast(DummyHashes, current_app.extensions["dummy_hashes"])


def client_address() -> str:
    """The address of the client. PROXY_COUNT says how many proxies are between."""
    return request.remote_addr or ""


def device() -> Device:
    """Client address and browser, for the list of sessions."""
    agent = "".join(c for c in request.headers.get("User-Agent", "") if c.isprintable())
    return Device(address=client_address(), agent=agent[:200])


def rate_limit(name: str, email: str = "") -> RateLimit:
    """A limit for the account with this e-mail address, from the client's address."""
    return limiter().limit(name, account=email_key(email), client_address=client_address())


def mail_limits() -> MailLimits:
    """The limits of mails with links for the client's address."""
    return MailLimits(limiter(), client_address=client_address())


def login_limits() -> LoginLimits:
    """The limits of logins and of other checks of a password or a code, from the client's address."""
    return LoginLimits(limiter(), client_address=client_address(), is_desk=_is_order_service)


def second_factor_required() -> bool:
    """True when the roles of an account count only with an authenticator."""
    return config().staff_totp == "required"


def require_sendable(email: str | None) -> None:
    """Raise Invalid on `email` for an address that the shop sends no mail to."""
    if email is not None and not config().smtp_utf8:
        require_ascii_local_part(email)


def limiter() -> Limiter:
    """The rate limits by name."""
    return cast(Limiter, current_app.extensions["limiter"])


def _is_order_service(client: str) -> bool:
    """True for an address of order_service, which the logins at the desk come from unless a proxy is trusted."""
    try:
        found = socket.getaddrinfo(urlsplit(str(config().order_service_url)).hostname, None)
    except OSError:
        return False
    return network_of(client) in {network_of(str(info[4][0])) for info in found}
