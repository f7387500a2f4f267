"""Headers for browsers in every response: a content security policy, and which other sites' scripts may read the response (CORS).

The policy fits pages without inline scripts and styles, as ours are. Cookies never cross sites: a script of another site sends an
access token or no credentials.
"""

from collections.abc import Mapping

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
OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}
CORS = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID, traceparent"
    ),
    "Access-Control-Expose-Headers": "ETag, Location, Retry-After, X-Request-ID",
    "Access-Control-Max-Age": "600",
}


def browser_headers(sent: Mapping[str, str], allowed: frozenset[str], *, secure: bool) -> dict[str, str]:
    """The headers of the response to a request with the headers `sent`.

    `allowed`: origins whose scripts may read it. `secure`: the request came over TLS.
    """
    headers = HEADERS | (OVER_TLS if secure else {}) | ({"Vary": "Origin"} if allowed else {})
    origin = sent.get("Origin", "")
    return headers | ({"Access-Control-Allow-Origin": origin} | CORS if origin in allowed else {})


PUBLIC_PATHS = ("/static/", "/docs")  # the same for everybody


def is_private(method: str, path: str, sent: Mapping[str, str], *, sets_cookie: bool) -> bool:
    """True when no cache may store the response (RFC 9111 5.2.2.5): one to a token or a session, or to a change."""
    if path.startswith(PUBLIC_PATHS):
        return False
    credentials = sent.get("Authorization") or sent.get("Cookie")
    return bool(credentials) or sets_cookie or method not in ("GET", "HEAD", "OPTIONS")


def is_preflight(method: str | None, sent: Mapping[str, str], allowed: frozenset[str]) -> bool:
    """True for a CORS preflight request of an allowed origin. Its response is 204 with the headers."""
    return method == "OPTIONS" and "Access-Control-Request-Method" in sent and sent.get("Origin", "") in allowed
