"""What browsers are told with every answer: to trust nothing but this host, and which other sites' scripts may read it (CORS).

The policy suits pages without inline scripts and styles, and those of our own are such. Cookies never cross sites: a script of
another site comes with an access token, or with nothing.
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
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID",
    "Access-Control-Expose-Headers": "ETag, Location, Retry-After, X-Request-ID",
    "Access-Control-Max-Age": "600",
}


def browser_headers(sent: Mapping[str, str], allowed: frozenset[str], *, secure: bool) -> dict[str, str]:
    """The headers of an answer to a request with the headers `sent`; `allowed` origins may read it, `secure`: it came over TLS."""
    told = HEADERS | (OVER_TLS if secure else {}) | ({"Vary": "Origin"} if allowed else {})
    origin = sent.get("Origin", "")
    return told | ({"Access-Control-Allow-Origin": origin} | CORS if origin in allowed else {})


def is_preflight(method: str | None, sent: Mapping[str, str], allowed: frozenset[str]) -> bool:
    """True when a browser asks, for a script of an allowed origin, what it may send: the answer is 204 and the headers."""
    return method == "OPTIONS" and "Access-Control-Request-Method" in sent and sent.get("Origin", "") in allowed
