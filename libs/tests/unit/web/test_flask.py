"""The Flask adapter: one small app, and what every service answers because of it."""

import json
import secrets

import pytest
from pydantic import SecretStr
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from libs.access.tokens import AccessTokens
from libs.runtime.config import WebConfig
from libs.runtime.health import CheckFailed, Health
from libs.runtime.telemetry.metrics import REQUESTS
from libs.values.errors import DomainError, ErrorKind
from libs.values.schema import StrictModel, StrictQuery
from libs.web.flask import Blueprint, caller, caller_if_any, json_response, make_app

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TOKENS = AccessTokens(SecretStr(secrets.token_urlsafe(32)), "microshop", "microshop")


class Thing(StrictModel):
    name: str
    count: int = 0
    made_in: str | None = None


class ThingQuery(StrictQuery):
    page: int = 1


class Gone(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "gone", "It is gone"


class Away(Exception):
    pass


def thing_routes():
    routes = Blueprint("things", __name__)

    @routes.post("/things")
    @routes.body(Thing)
    @routes.output(Thing, status_code=201)
    @routes.refuses(409)
    def make_thing(body):
        """Make a thing."""
        if body.name == "gone":
            raise Gone("since long", since=1999)
        return json_response(body.model_dump(by_alias=True), 201)

    @routes.get("/things/<thing_id>")
    @routes.requires("staff")
    @routes.query(ThingQuery)
    @routes.output(Thing)
    @routes.refuses(409)
    def read_thing(thing_id, query):
        """Read a thing."""
        if thing_id in ("away", "crash"):
            raise Away if thing_id == "away" else RuntimeError("a secret detail")
        return json_response({"name": caller().username, "count": query.page})

    @routes.get("/plain")
    def plain():
        """Read nothing."""
        return json_response({})

    @routes.delete("/things")
    @routes.no_body
    def delete_things():
        """Delete things."""
        return json_response({})

    @routes.get("/varied")
    def varied():
        """Vary."""
        return json_response({}, headers={"Vary": "Accept"})

    @routes.get("/hello")
    def hello():
        """Greet."""
        who = caller_if_any()
        return json_response({"name": who.username if who else "stranger"})

    return routes


WORKERS = [{"host": "a", "pid": 7, "parts": {"relay": {"pending": 3}}}]


def broken():
    raise CheckFailed("gone for lunch", parts={"relay": {"pending": 3}})


def make_client(**settings):
    app = make_app(
        service="things",
        version="1.2.3",
        description="Things.",
        health=Health("things", "1.2.3", required={"store": dict}, shown={"worker": broken}, workers=lambda: WORKERS),
        tokens=TOKENS,
        is_unavailable=lambda error: isinstance(error, Away),
        web=WebConfig(**settings),
        links={"things": "/things"},
    )
    app.register_blueprint(thing_routes())
    return app.test_client()


@pytest.fixture
def client():
    return make_client()


def bearer(*roles):
    token = TOKENS.mint(user_id="u1", email="a@example.com", username="ann", roles=roles)
    return {"Authorization": f"Bearer {token}"}


def assert_problem(answer, status, code=None):
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    body = json.loads(answer.data)
    assert body["status"] == status
    assert body["requestId"] == answer.headers["X-Request-ID"]
    assert code in (None, body["code"])
    assert "secret" not in answer.text
    return body


def test_a_good_body_reaches_the_view_as_a_model(client):
    assert client.post("/things/", json={"name": "a", "count": 2}).json == {"name": "a", "count": 2, "madeIn": None}


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b"{not json", "application/json", 400),
        (b"", "application/json", 400),
        (b"null", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 2000, "application/json", 400),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "application/json", 400),
        (b'{"name": "' + b"x" * 70_000 + b'"}', "application/json", 413),
        (b"<x/>", "text/xml", 415),
        (b"name=a", "application/x-www-form-urlencoded", 415),
    ],
)
def test_odd_bodies_are_problems(client, raw, kind, status):
    assert_problem(client.post("/things", data=raw, content_type=kind), status)


def test_each_bad_field_is_named(client):
    body = assert_problem(client.post("/things", json={"count": "2", "colour": "red"}), 400, "invalid")
    assert {error["field"] for error in body["errors"]} == {"name", "count", "colour"}


def test_a_field_has_one_name(client):
    assert client.post("/things", json={"name": "a", "madeIn": "Bergen"}).status_code == 201
    body = assert_problem(client.post("/things", json={"name": "a", "made_in": "Bergen"}), 400, "invalid")
    assert [error["field"] for error in body["errors"]] == ["made_in"]


def test_a_domain_error_shows_its_code_its_case_and_its_extras(client):
    body = assert_problem(client.post("/things", json={"name": "gone"}), 409, "gone")
    assert (body["type"], body["title"], body["detail"], body["since"]) == (
        "/problems/gone",
        "It is gone",
        "since long",
        1999,
    )


def test_who_you_are_comes_before_what_you_may(client):
    assert_problem(client.get("/things/1"), 401)
    assert_problem(client.get("/things/1", headers=bearer()), 403)
    assert client.get("/things/1?page=4", headers=bearer("staff")).json == {"name": "ann", "count": 4}


def test_a_token_is_optional_where_anyone_may_look_but_a_bad_one_is_refused(client):
    assert client.get("/hello").json == {"name": "stranger"}
    assert client.get("/hello", headers=bearer()).json == {"name": "ann"}
    assert_problem(client.get("/hello", headers={"Authorization": "Bearer x"}), 401)


def test_on_a_public_route_another_scheme_is_no_token(client):
    for header in ("Basic dTpw", "Digest x", "nonsense", ""):
        assert client.get("/hello", headers={"Authorization": header}).json == {"name": "stranger"}


@pytest.mark.parametrize(
    ("path", "headers", "status", "challenge"),
    [
        ("/things/1", {}, 401, "Bearer"),
        ("/things/1", {"Authorization": "Basic dTpw"}, 401, "Bearer"),
        ("/things/1", {"Authorization": "Bearer x"}, 401, 'Bearer error="invalid_token"'),
        ("/hello", {"Authorization": "BEARER x"}, 401, 'Bearer error="invalid_token"'),
        ("/things/1", bearer(), 403, 'Bearer error="insufficient_scope"'),
    ],
)
def test_the_challenge_says_what_was_wrong_with_the_token(client, path, headers, status, challenge):
    answer = client.get(path, headers=headers)
    assert_problem(answer, status)
    assert answer.headers["WWW-Authenticate"] == challenge


@pytest.mark.parametrize(
    "path", ["/things/1?page=1&page=1", "/plain?x=1&x=2", "/hello?x=&x=", "/things/1?page=1&p%61ge=2"]
)
def test_a_repeated_parameter_is_refused_on_every_route(client, path):
    body = assert_problem(client.get(path, headers=bearer("staff")), 400, "repeated")
    assert [row["code"] for row in body["errors"]] == ["repeated"]
    assert body["errors"][0]["field"] in ("page", "x")


def test_health_ignores_what_it_is_asked_with(client):
    assert client.get("/health/live?x=1&x=2").status_code == 200


def test_an_empty_parameter_is_refused(client):
    for path in ("/things/1?page=", "/things/1?page=%20"):
        body = assert_problem(client.get(path, headers=bearer("staff")), 400, "invalid")
        assert body["errors"] == [
            {"field": "page", "code": "blank", "message": "Enter a value, or leave the parameter out"}
        ]


def test_a_repeated_name_in_a_body_is_refused(client):
    for method in ("post", "delete"):
        answer = getattr(client, method)("/things", data=b'{"name": "a", "name": "b"}', content_type="application/json")
        assert [row["field"] for row in assert_problem(answer, 400, "repeated")["errors"]] == ["name"]


def test_a_compressed_body_is_refused_with_what_is_taken(client):
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    for method in ("post", "delete"):
        answer = getattr(client, method)("/things", data=b"\x1f\x8b", headers=headers)
        assert_problem(answer, 415, "unsupported-content-encoding")
        assert answer.headers["Accept-Encoding"] == "identity"
    assert "Accept-Encoding" not in client.post("/things", data=b"<x/>", content_type="text/xml").headers


def test_another_charset_is_named_and_a_byte_order_mark_is_taken(client):
    raw = '{"name": "é"}'.encode("latin-1")
    body = assert_problem(client.post("/things", data=raw, content_type="application/json; charset=ISO-8859-1"), 415)
    assert "ISO-8859-1" in body["detail"]
    assert client.post("/things", data=b'\xef\xbb\xbf{"name": "a"}', content_type="application/json").status_code == 201


def test_an_integer_may_have_a_fraction_of_zero(client):
    assert (
        client.post("/things", data=b'{"name": "a", "count": 2.0}', content_type="application/json").json["count"] == 2
    )


def test_unknown_query_parameters_are_refused(client):
    assert_problem(client.get("/things/1?pgae=4", headers=bearer("staff")), 400)


def test_an_unavailable_server_is_a_503_with_a_retry_after_header(client):
    answer = client.get("/things/away", headers=bearer("staff"))
    assert_problem(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0


def test_after_three_outages_in_a_row_requests_are_refused_at_once_but_health_still_answers(client):
    for _ in range(3):
        client.get("/things/away", headers=bearer("staff"))
    assert_problem(client.get("/hello"), 503, "unavailable")
    assert client.get("/health/live").status_code == 200
    assert client.get("/openapi.json").status_code == 200


def test_a_crash_shows_nothing_of_the_inside(client):
    assert_problem(client.get("/things/crash", headers=bearer("staff")), 500)


def test_wrong_paths_and_methods_are_problems(client):
    assert_problem(client.get("/no-such-thing"), 404)
    answer = client.delete("/hello")
    assert_problem(answer, 405)
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("sent", "kept"), [("abc-1.2_3", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("", False)]
)
def test_a_well_formed_request_id_comes_back(client, sent, kept):
    assert (client.get("/hello", headers={"X-Request-ID": sent}).headers["X-Request-ID"] == sent) is kept


def test_health_shows_what_is_down_but_only_required_things_stop_traffic(client):
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == 200
    report = client.get("/health").json
    assert (report["status"], report["service"], report["version"]) == ("degraded", "things", "1.2.3")
    assert report["checks"]["worker"]["reason"] == "gone for lunch"


def test_metrics_count_by_route_template_and_show_the_worker(client):
    client.get("/things/42", headers=bearer("staff"))
    page = client.get("/metrics").text
    assert 'route="/things/<thing_id>"' in page
    assert "/things/42" not in page
    assert 'outbox_pending{part="relay",worker="a:7"} 3.0' in page


def test_the_api_document_names_bodies_answers_and_problems(client):
    spec = client.get("/openapi.json").json
    post = spec["paths"]["/things"]["post"]
    assert post["summary"] == "Make a thing."
    assert "requestBody" in post
    assert {"201", "400", "409", "413", "415", "503"} <= set(post["responses"])
    assert {"400", "401", "403", "404", "409", "503"} <= set(spec["paths"]["/things/{thing_id}"]["get"]["responses"])


def test_the_api_page_loads_nothing_from_elsewhere_and_has_no_inline_script(client):
    page = client.get("/docs/")
    assert page.status_code == 200
    assert "http" not in page.text
    assert "<script>" not in page.text
    assert "<style" not in page.text
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js"):
        with client.get(f"/docs/{name}") as asset:
            assert asset.status_code == 200
    assert_problem(client.get("/docs/../flask_swagger_ui.py"), 404)


@pytest.mark.parametrize("path", ["/hello", "/no-such-thing", "/docs/", "/health", "/things/1"])
def test_every_response_restricts_browsers_to_the_policy(client, path):
    headers = client.get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")
    assert "Strict-Transport-Security" not in headers


def test_no_other_site_may_read_an_answer_unless_it_is_listed(client):
    asks = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    assert not [
        name for name, _ in client.options("/things", headers=asks).headers if name.startswith("Access-Control")
    ]
    listing = make_client(cors_origins="https://shop.example, http://localhost:5173")
    preflight = listing.options("/things", headers=asks)
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (204, "https://shop.example")
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    assert listing.get("/hello", headers=asks).headers["Access-Control-Allow-Origin"] == "https://shop.example"
    for origin in ("https://evil.example", "https://shop.example.evil.example", "null", ""):
        headers = listing.get("/hello", headers={"Origin": origin}).headers
        assert "Access-Control-Allow-Origin" not in headers
        assert "Access-Control-Allow-Credentials" not in headers
        assert headers["Vary"] == "Origin"
    assert listing.get("/varied").headers["Vary"] == "Accept, Origin"
    assert "Origin" in listing.get("/nowhere").headers["Vary"]
    assert "Accept" in make_client().get("/").headers["Vary"]


def test_forwarded_headers_are_believed_only_from_a_proxy_that_is_set():
    sent = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example"}
    assert "Strict-Transport-Security" not in make_client().get("/hello", headers=sent).headers
    assert "Strict-Transport-Security" in make_client(proxy_count=1).get("/hello", headers=sent).headers


@pytest.mark.parametrize("method", ["BREW", "TRACE", "CONNECT", "get", "X" * 5000])
@pytest.mark.parametrize("path", ["/things", "/health", "/nowhere"])
def test_an_unknown_method_is_501_and_counted_nowhere(client, method, path):
    before = requests_counted()
    assert_problem(
        client.open(path, method=method, environ_overrides={"REQUEST_METHOD": method}), 501, "not-implemented"
    )
    assert requests_counted() == before


def requests_counted():
    return sum(s.value for m in REQUESTS.collect() for s in m.samples if s.name.endswith("_total"))


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/things", "DELETE, OPTIONS, POST"), ("/things/7", "GET, HEAD, OPTIONS"), ("/", "GET, HEAD, OPTIONS")],
)
def test_options_is_204_with_the_methods_of_the_path(client, path, allowed):
    for headers in ({}, {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}):
        answer = client.options(path, headers=headers)
        assert (answer.status_code, answer.headers["Allow"], answer.data) == (204, allowed, b"")
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert_problem(client.options("/nowhere", headers={"Accept": "text/html"}), 404, "not-found")
    server = client.options("*")
    assert (server.status_code, server.data) == (204, b"")
    assert server.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"


@pytest.mark.parametrize("host", ["10.42.0.17:3000", "evil.example", "[", "a b", "%", "é", "x" * 300, "host:port", ""])
def test_probes_are_answered_to_any_host_and_no_host_breaks_a_route(client, host):
    for path in ("/health", "/health/live", "/health/ready", "/metrics", "/hello"):
        assert client.get(path, headers={"Host": host}).status_code == 200


def test_the_root_is_an_index(client):
    answer = client.get("/").json
    assert (answer["service"], answer["version"]) == ("things", "1.2.3")
    assert set(answer["links"]) == {"health", "docs", "openapi", "metrics", "things"}
    page = client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.mimetype == "text/html"
    assert 'href="/things"' in page.text
    assert client.head("/").status_code == 200
    assert_problem(client.post("/"), 405)


@pytest.mark.parametrize(
    ("path", "headers", "stored"),
    [
        ("/hello", {}, True),
        ("/hello", bearer(), False),
        ("/hello", {"Authorization": "Basic x"}, False),
        ("/nowhere", bearer(), False),
        ("/docs", bearer(), True),
    ],
)
def test_answers_to_a_token_or_a_session_are_not_stored(client, path, headers, stored):
    assert ("no-store" not in client.get(path, headers=headers).headers.get("Cache-Control", "")) == stored


def test_an_answer_to_a_cookie_is_not_stored(client):
    client.set_cookie("session", "x")
    assert client.get("/hello").headers["Cache-Control"] == "no-store"


def test_a_path_with_two_slashes_leads_nowhere_else(client):
    answer = client.get("//hello", headers={"Host": "evil.example"})
    assert "Location" not in answer.headers
    assert "evil.example" not in answer.text


@pytest.mark.parametrize(
    ("sent", "kept"), [(f"00-{TRACE}-00f067aa0ba902b7-01", True), ("00-nonsense", False), ("", False)]
)
def test_a_well_formed_trace_is_in_the_line_of_its_request(client, sent, kept):
    with capture_logs(processors=[merge_contextvars]) as lines:
        client.get("/hello", headers={"traceparent": sent})
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["trace_id"] == TRACE) is kept
    assert len(line["trace_id"]) == 32
    assert line["request_id"]


def test_a_range_beyond_a_file_is_refused_with_the_files_length(client):
    answer = client.get("/docs/swagger-ui.css", headers={"Range": "bytes=999999999-"})
    assert_problem(answer, 416, "requested-range-not-satisfiable")
    assert answer.headers["Content-Range"].startswith("bytes */")
