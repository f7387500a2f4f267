"""Headers for browsers in every response: a content security policy, and which other sites' scripts may read the response (CORS).

The policy fits pages without inline scripts and styles, as ours are. Cookies never cross sites: a script of another site sends an
access token or no credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from libs.values.http_methods import METHODS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
OVER_TLS = HEADERS | {"Strict-Transport-Security": "max-age=31536000"}
ALL_METHODS = ", ".join(sorted(METHODS))
"""What a service itself allows, for `OPTIONS *` (RFC 9110 9.3.7)."""
CORS = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID, traceparent"
    ),
    "Access-Control-Expose-Headers": "ETag, Location, Retry-After, X-Request-ID",
    "Access-Control-Max-Age": "600",
}


class BrowserHeaders:
    """A WSGI application with the headers for browsers in each response. A header that the application sets itself is kept.

    It is outside the frameworks, which check each header that is set (docs/adr/0066). `origins`: those whose scripts may read
    the responses.
    """

    def __init__(self, app: WSGIApplication, origins: frozenset[str]) -> None:
        self._app, self._origins = app, origins

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the application does."""
        headers = OVER_TLS if environ["wsgi.url_scheme"] == "https" else HEADERS
        if (origin := environ.get("HTTP_ORIGIN", "")) in self._origins:
            headers = {**headers, "Access-Control-Allow-Origin": origin, **CORS}

        def start(status: str, sent: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            names = {name for name, _ in sent}
            missing = [pair for pair in headers.items() if pair[0] not in names]
            return start_response(status, [*sent, *missing], exc_info)

        return self._app(environ, start)


def vary(allowed: frozenset[str], *, negotiated: bool) -> list[str]:
    """The request headers that a cache must compare, besides those that the response names. `negotiated`: a page or JSON."""
    return [name for name, counts in (("Accept", negotiated), ("Origin", bool(allowed))) if counts]


PUBLIC_PATHS = ("/static/", "/docs")  # the same for everybody


def is_private(environ: Mapping[str, Any], *, sets_cookie: bool) -> bool:
    """True when no cache may store the response (RFC 9111 5.2.2.5): one to a token or a session, or to a change.

    `environ`: that of WSGI. Its method counts in capitals, as the frameworks read it.
    """
    if environ["PATH_INFO"].startswith(PUBLIC_PATHS):
        return False
    credentials = environ.get("HTTP_AUTHORIZATION") or environ.get("HTTP_COOKIE")
    return bool(credentials) or sets_cookie or environ["REQUEST_METHOD"].upper() not in ("GET", "HEAD", "OPTIONS")


def is_preflight(method: str | None, sent: Mapping[str, str], allowed: frozenset[str]) -> bool:
    """True for a CORS preflight request of an allowed origin. Its response is 204 with the headers."""
    return method == "OPTIONS" and "Access-Control-Request-Method" in sent and sent.get("Origin", "") in allowed
