"""The headers for browsers around a WSGI application."""

import pytest

from libs.web.security_headers import CORS, HEADERS, BrowserHeaders

OWN = ("Content-Security-Policy", "default-src 'self'")
SHOP = "https://shop.example"


def headers_of(environ, sent=(), origins=frozenset()):
    """The headers that the server gets, in their sequence."""
    found = []

    def app(_environ, start_response):
        start_response("200 OK", list(sent))
        return [b"body"]

    environ = {"wsgi.url_scheme": "http", **environ}
    parts = BrowserHeaders(app, origins)(environ, lambda status, headers, exc_info=None: found.extend(headers))
    assert list(parts) == [b"body"]
    return found


def test_each_header_is_there_once_and_that_of_the_application_counts():
    found = headers_of({}, [OWN, ("Content-Type", "text/html")])
    assert found[:2] == [OWN, ("Content-Type", "text/html")]
    assert dict(found) == {**HEADERS, "Content-Type": "text/html", OWN[0]: OWN[1]}
    assert len(found) == len(HEADERS) + 1


@pytest.mark.parametrize(("scheme", "expected"), [("http", False), ("https", True)])
def test_a_browser_keeps_to_tls_after_a_response_over_tls(scheme, expected):
    assert ("Strict-Transport-Security" in dict(headers_of({"wsgi.url_scheme": scheme}))) is expected


@pytest.mark.parametrize(
    ("origin", "expected"), [(SHOP, True), (f"{SHOP}.evil.example", False), ("null", False), ("", False)]
)
def test_only_a_listed_origin_may_read(origin, expected):
    found = dict(headers_of({"HTTP_ORIGIN": origin}, origins=frozenset({SHOP})))
    assert (found.get("Access-Control-Allow-Origin") == SHOP) is expected
    assert (found.items() >= CORS.items()) is expected
    assert not expected or "Strict-Transport-Security" not in found


def test_an_error_reaches_the_server():
    def app(_environ, start_response):
        start_response("500 Internal Server Error", [], (ValueError, None, None))
        return []

    seen = []
    BrowserHeaders(app, frozenset())({"wsgi.url_scheme": "http"}, lambda *given: seen.append(given))
    assert seen[0][2] == (ValueError, None, None)
