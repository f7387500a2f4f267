"""What routes take from the application, and from the request's way here."""

from typing import cast

from flask import current_app, request

from user_service.config import Config
from user_service.domain.user import fold
from user_service.store.rate_limits import Attempts, Limiter
from user_service.use_cases.sessions import Visitor


def config() -> Config:
    """The configuration of this process."""
    return cast(Config, current_app.extensions["config"])


def address() -> str:
    """Where the request comes from; behind proxies, as PROXY_COUNT says."""
    return request.remote_addr or ""


def visitor() -> Visitor:
    """Address and browser, for the list of sessions."""
    agent = "".join(c for c in request.headers.get("User-Agent", "") if c.isprintable())
    return Visitor(address(), agent[:200])


def attempts(limit: str, account: str = "", *, everywhere: bool = False) -> Attempts:
    """The attempts of this account (an e-mail address) under a limit, from this address or from `everywhere`."""
    limiter: Limiter = current_app.extensions["limiter"]
    return limiter.attempts(limit, account=fold(account), address=None if everywhere else address())
