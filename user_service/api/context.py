"""What routes take from the application and from the connection of a request."""

from typing import cast

from flask import current_app, request

from libs.access.tokens import AccessTokens
from libs.values.email_address import email_key
from user_service.config import Config
from user_service.domain.session import Device
from user_service.store.mail_limits import MailLimits
from user_service.store.rate_limits import Limiter, LoginLimits, RateLimit


def config() -> Config:
    """The configuration of this process."""
    return cast(Config, current_app.extensions["config"])


def access_tokens() -> AccessTokens:
    """The object that signs and checks access tokens."""
    return cast(AccessTokens, current_app.extensions["tokens"])


def address() -> str:
    """The address of the client. PROXY_COUNT says how many proxies are between."""
    return request.remote_addr or ""


def device() -> Device:
    """Address and browser, for the list of sessions."""
    agent = "".join(c for c in request.headers.get("User-Agent", "") if c.isprintable())
    return Device(address=address(), agent=agent[:200])


def rate_limit(name: str, email: str = "", *, everywhere: bool = False) -> RateLimit:
    """A limit for the account with this e-mail address, from the client's address or from all (`everywhere`)."""
    limiter: Limiter = current_app.extensions["limiter"]
    return limiter.limit(name, account=email_key(email), address=None if everywhere else address())


def mail_limits() -> MailLimits:
    """The limits of mails with links for the client's address."""
    return MailLimits(current_app.extensions["limiter"], address=address())


def login_limits(email: str) -> LoginLimits:
    """The limits of a login to the account with this e-mail address."""
    return LoginLimits(password=rate_limit("login", email), code=rate_limit("code", email, everywhere=True))
