"""The Django adapter: one small view, and what every view answers because of it."""

import secrets

import pytest
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.test import Client, override_settings
from rest_framework import exceptions
from rest_framework.response import Response
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from libs.runtime.health import CheckFailed, Health
from libs.runtime.telemetry.metrics import REQUESTS
from libs.values.errors import DomainError, ErrorKind, NotAllowed
from libs.values.schema import StrictModel, validated
from libs.web.bodies import MAX_BODY_BYTES
from libs.web.drf import MAX_HOSTS, RequestMiddleware, error_view, get_view, routes, server_error_view, service_routes
from libs.web.drf_views import StrictView


class Thing(StrictModel):
    name: str
    made_in: str | None = None


class Gone(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "gone", "It is gone"


class Things(StrictView):
    """Gives back what it gets, or raises what `Things.raises` holds."""

    permission_classes = []
    authentication_classes = []
    raises: Exception | None = None

    def get(self, request):
        if Things.raises:
            raise Things.raises
        return Response({"name": "lamp"})

    def delete(self, request):
        request.data  # noqa: B018 -- it is read and parsed now
        return Response({}, headers={"Vary": "Accept-Language"})

    def post(self, request):
        return Response(validated(Thing, request.data).model_dump(by_alias=True), 201)


def plain(request):
    raise Things.raises


def worker():
    raise CheckFailed("the worker is away", parts={"relay": {"pending": 3}})


def broken():
    raise RuntimeError("no answer")


WORKERS = [{"host": "a", "pid": 7, "parts": {"relay": {"pending": 3}}}]
HEALTH = Health(
    "shop", "1", required={"disk": dict}, shown={"worker": worker, "other": broken}, workers=lambda: WORKERS
)
urlpatterns = [
    *routes("things", Things.as_view()),
    *routes("things/<str:thing_id>/plain", lambda request, thing_id: plain(request)),
    *service_routes(HEALTH, {"things": "/things"}),
]
handler400, handler403, handler404, handler500 = error_view(400), error_view(403), error_view(404), server_error_view
pytestmark = pytest.mark.urls(__name__)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
def client():
    Things.raises = None
    return Client(raise_request_exception=False, headers={"accept": "application/json"})


def send(client, raw, kind="application/json"):
    return client.generic("POST", "/things", raw, content_type=kind)


def problem(answer, status, code):
    body = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert (body["status"], body["code"], body["type"]) == (status, code, f"/problems/{code}")
    assert body["requestId"] == answer["X-Request-ID"]
    assert body["instance"] == answer.wsgi_request.path
    return body


@pytest.mark.parametrize("path", ["/things", "/things/"])
def test_a_slash_at_the_end_makes_no_difference(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"], answer.content) == (200, "application/json", b'{"name":"lamp"}')


@pytest.mark.parametrize(
    ("sent", "kept"), [("abc-1.2_X", True), ("a" * 64, True), ("a" * 65, False), ("a b", False), ("", False)]
)
def test_a_well_formed_request_id_comes_back(client, sent, kept):
    answer = client.get("/things", headers={"x-request-id": sent})
    assert (answer["X-Request-ID"] == sent) is kept
    assert answer["X-Request-ID"]


ERRORS = [
    (Gone("Somebody took it", left=0), 409, "gone"),
    (Http404(), 404, "not-found"),
    (PermissionDenied(), 403, "not-allowed"),
    (exceptions.PermissionDenied(), 403, "not-allowed"),
    (exceptions.NotAuthenticated(), 401, "not-authenticated"),
    (exceptions.AuthenticationFailed(), 401, "not-authenticated"),
    (NotAllowed(), 403, "not-allowed"),
    (exceptions.Throttled(3), 429, "too-many-requests"),
    (OperationalError(2013, "Lost connection to secret-host"), 503, "unavailable"),
    (OperationalError(1114, "The table is full"), 507, "no-room"),
    (InterfaceError(0, ""), 503, "unavailable"),
    (RuntimeError("secret"), 500, "internal-server-error"),
]


@pytest.mark.parametrize(
    ("error", "status", "code"), ERRORS, ids=lambda value: getattr(value, "__name__", None) or str(value)[:20]
)
def test_every_error_is_a_problem(client, error, status, code):
    Things.raises = error
    answer = client.get("/things")
    assert "secret" not in str(problem(answer, status, code))
    challenges = {401: "Bearer", 403: 'Bearer error="insufficient_scope"'}
    challenge = (
        'Bearer error="invalid_token"' if type(error) is exceptions.AuthenticationFailed else challenges.get(status)
    )
    assert answer.get("WWW-Authenticate") == challenge
    assert answer.get("Retry-After") == ("2" if status == 503 else None)


def test_a_domain_error_shows_its_detail_and_members(client):
    Things.raises = Gone("Somebody took it", left=0)
    body = problem(client.get("/things"), 409, "gone")
    assert (body["title"], body["detail"], body["left"]) == ("It is gone", "Somebody took it", 0)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OperationalError(), 503, "unavailable"),
        (RuntimeError("x"), 500, "internal-server-error"),
        (Http404(), 404, "not-found"),
    ],
)
def test_views_of_django_itself_answer_alike(client, error, status, code):
    Things.raises = error
    problem(client.get("/things/1/plain"), status, code)


def test_after_three_outages_in_a_row_requests_are_refused_at_once_but_health_still_answers(client):
    Things.raises = OperationalError()
    for _ in range(3):
        client.get("/things")
    Things.raises = None
    answer = client.get("/things")
    problem(answer, 503, "unavailable")
    assert answer["Retry-After"] == "2"
    assert client.get("/health/live").status_code == 200


def test_a_crash_is_logged_with_its_cause(client):
    Things.raises = RuntimeError("boom")
    with capture_logs() as logs:
        client.get("/things")
    assert [entry["exc_info"] for entry in logs if entry["event"] == "request failed"] == [Things.raises]


def test_a_browser_gets_a_page_of_every_error():
    for error, status, _ in ERRORS:
        Things.raises, browser = error, Client(raise_request_exception=False, headers={"accept": HTML})
        for path in ("/things", "/things/1/plain"):
            answer = browser.get(path)
            assert answer["Content-Type"] == "text/html; charset=utf-8"
            assert answer.status_code == status or path != "/things"


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "text/xml", "application/json, text/html;q=0.5", "nonsense"]
)
def test_everybody_else_gets_json(client, accept):
    assert client.get("/things", headers={"accept": accept})["Content-Type"] == "application/json"
    assert client.get("/none", headers={"accept": accept})["Content-Type"] == "application/problem+json"


def test_a_body_is_read_strictly(client):
    assert send(client, b'{"name": "lamp", "madeIn": "Oslo"}').json() == {"name": "lamp", "madeIn": "Oslo"}
    errors = problem(send(client, b'{"name": 1, "made_in": "Oslo", "more": []}'), 400, "invalid")["errors"]
    assert {error["field"]: error["code"] for error in errors} == {
        "name": "string-type",
        "made_in": "extra-forbidden",
        "more": "extra-forbidden",
    }
    problem(send(client, b"[1]"), 400, "malformed-body")
    problem(send(client, b"{"), 400, "malformed-body")
    problem(send(client, b'{"a":' * 40 + b"1" + b"}" * 40), 400, "too-deep")
    problem(send(client, b"<x/>", "text/xml"), 415, "unsupported-media-type")


@pytest.mark.parametrize("path", ["/things?a=1&a=1", "/things?x=1&b=2&%62=", "/things/?a=&a="])
def test_a_repeated_parameter_is_refused_on_every_route(client, path):
    for answer in (client.get(path), client.post(path, {})):
        [row] = problem(answer, 400, "repeated")["errors"]
        assert (row["field"] in ("a", "b"), row["code"]) == (True, "repeated")
    assert client.get("/health/live?x=1&x=2").status_code == 200


def test_a_repeated_name_in_a_body_is_refused(client):
    for method in ("POST", "DELETE"):
        raw = b'{"name": "a", "name": "b"}'
        answer = client.generic(method, "/things", raw, content_type="application/json")
        assert [row["field"] for row in problem(answer, 400, "repeated")["errors"]] == ["name"]


def test_a_compressed_body_is_refused_with_what_is_taken(client):
    answer = client.generic(
        "POST", "/things", b"\x1f\x8b", content_type="application/json", headers={"content-encoding": "gzip"}
    )
    problem(answer, 415, "unsupported-content-encoding")
    assert answer["Accept-Encoding"] == "identity"
    assert "Accept-Encoding" not in send(client, b"<x/>", "text/xml")


def test_another_charset_is_named_and_a_byte_order_mark_is_taken(client):
    body = problem(
        send(client, '{"name": "é"}'.encode("latin-1"), "application/json; charset=ISO-8859-1"),
        415,
        "unsupported-charset",
    )
    assert "ISO-8859-1" in body["detail"]
    assert send(client, b'\xef\xbb\xbf{"name": "a"}', "Application/JSON; charset=UTF-8").status_code == 201


@pytest.mark.parametrize("host", ["10.42.0.17:3000", "evil.example", "[", "a b", "%", "x" * 300, "host:port", ""])
def test_probes_are_answered_to_any_host(client, host):
    for path in ("/health", "/health/live", "/health/ready", "/metrics", "/health/"):
        assert client.get(path, headers={"host": host}).status_code == 200


@override_settings(DEBUG=False)
@pytest.mark.parametrize("host", ["evil.example", "[", "a b"])
@pytest.mark.parametrize("path", ["/things", "/", "/nowhere", "/static/x.css"])
def test_a_foreign_host_costs_one_line_without_a_traceback(client, caplog, host, path):
    with capture_logs() as logs:
        answer = client.get(path, headers={"host": host})
    problem(answer, 400, "unknown-host")
    assert [(entry["event"], entry["status"], entry["reason"]) for entry in logs] == [("request", 400, "unknown host")]
    assert "exc_info" not in logs[0]
    assert [
        record for record in caplog.records if record.name != "django.request"
    ] == []  # which setup_django() silences


@override_settings(ALLOWED_HOSTS=[".example"])
def test_a_process_remembers_a_bounded_number_of_hosts_and_still_refuses_others(rf):
    middleware = RequestMiddleware(lambda request: HttpResponse())
    for number in range(2 * MAX_HOSTS):
        assert middleware(rf.get("/things", headers={"host": f"shop{number}.example"})).status_code == 200
    assert len(middleware._hosts) == MAX_HOSTS
    for _ in range(2):
        assert middleware(rf.get("/things", headers={"host": "evil.test"})).status_code == 400


def test_every_answer_varies_by_origin_where_origins_are_listed(client):
    assert "Origin" not in client.get("/things").get("Vary", "")
    with override_settings(CORS_ORIGINS=frozenset({"https://shop.example"})):
        for path in ("/things", "/nowhere", "/", "/health", "/things/1/plain"):
            assert "Origin" in client.get(path)["Vary"].split(", "), path
        assert "Accept-Language" in client.delete("/things")["Vary"].split(", ")
        assert "Origin" in client.delete("/things")["Vary"].split(", ")


def test_a_body_over_the_limit_is_refused_before_it_is_read(client):
    name = secrets.token_hex(MAX_BODY_BYTES // 2)
    assert send(client, f'{{"name":"{name[:-20]}"}}'.encode()).status_code == 201
    assert send(client, f'{{"name":"{name}"}}'.encode()).status_code == 413


@pytest.mark.parametrize("method", ["BREW", "TRACE", "CONNECT", "get", "X" * 5000])
def test_an_unknown_method_is_501_and_counted_nowhere(client, method):
    before = requests_counted()
    answer = client.generic(method, "/things")
    problem(answer, 501, "not-implemented")
    assert requests_counted() == before


def requests_counted():
    return sum(s.value for m in REQUESTS.collect() for s in m.samples if s.name.endswith("_total"))


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/things", "DELETE, GET, HEAD, OPTIONS, POST"),
        ("/things/7/plain", "GET, HEAD, OPTIONS, POST"),
        ("/health", "GET, HEAD, OPTIONS"),
        ("/", "GET, HEAD, OPTIONS"),
        ("/static/x.css", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_is_204_with_the_methods_of_the_path(client, path, allowed):
    for headers in ({}, {"origin": "https://evil.example", "access-control-request-method": "GET"}):
        answer = client.options(path, headers=headers)
        assert (answer.status_code, answer["Allow"]) == (204, allowed)
        assert "Access-Control-Allow-Origin" not in answer
    problem(client.options("/nowhere", headers={"accept": HTML}), 404, "not-found")
    server = client.generic("OPTIONS", "*", headers={"host": "evil.example"})
    assert (server.status_code, server["Allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")


def test_the_root_is_an_index(client):
    answer = client.get("/").json()
    assert answer["service"] == "shop"
    assert answer["links"]["things"] == "/things"
    assert set(answer["links"]) >= {"health", "docs", "openapi", "metrics"}
    page = client.get("/", headers={"accept": HTML})
    assert page["Content-Type"].startswith("text/html")
    assert b'href="/things"' in page.content


@pytest.mark.parametrize(
    ("path", "headers", "stored"),
    [
        ("/things", {}, True),
        ("/things", {"authorization": "Bearer x"}, False),
        ("/things", {"cookie": "sessionid=x"}, False),
        ("/nowhere", {"authorization": "Bearer x"}, False),
        ("/static/x.css", {"cookie": "sessionid=x"}, True),
    ],
)
def test_answers_to_a_token_or_a_session_are_not_stored(client, path, headers, stored):
    assert ("no-store" not in client.get(path, headers=headers).headers.get("Cache-Control", "")) == stored
    assert "no-store" in client.post(path.replace("/static", ""), headers=headers)["Cache-Control"]


def test_health_shows_the_state_of_the_process(client):
    assert client.get("/health/live").json() == {"status": "ok", "service": "shop"}
    assert client.get("/health/ready/").json()["checks"] == {"disk": {"status": "ok"}}
    report = client.get("/health")
    assert (report.status_code, report.json()["status"]) == (200, "degraded")
    assert report.json()["checks"]["worker"]["reason"] == "the worker is away"


def test_metrics_show_requests_by_route_and_the_workers_parts(client):
    Things.raises = Http404()
    client.get("/things/17/plain")
    text = client.get("/metrics").content.decode()
    assert 'http_requests_total{method="GET",route="/things/<str:thing_id>/plain",status="4xx"}' in text
    assert 'outbox_pending{part="relay",worker="a:7"} 3.0' in text
    assert "/things/17" not in text


@pytest.mark.parametrize("path", ["/health", "/metrics"])
def test_they_are_only_read(client, path):
    answer = client.post(path, {"a": 1})
    assert answer["Allow"] == "GET, HEAD"
    problem(answer, 405, "method-not-allowed")
    assert client.head(path).status_code == 200


def test_polling_is_logged_only_when_it_fails(client):
    with capture_logs() as logs:
        client.get("/health/live")
        client.get("/metrics")
        client.get("/things")
        client.get("/health/none")
    requests = [(entry["route"], entry["status"]) for entry in logs if entry["event"] == "request"]
    assert requests == [("/things", 200), ("unknown", 404)]


def test_a_view_that_only_reads_takes_no_forms_token():
    assert get_view(lambda: None).csrf_exempt


@pytest.mark.parametrize(
    ("sent", "kept"), [(f"00-{TRACE}-00f067aa0ba902b7-01", True), ("00-nonsense", False), ("", False)]
)
def test_a_well_formed_trace_is_in_the_line_of_its_request(client, sent, kept):
    with capture_logs(processors=[merge_contextvars]) as lines:
        client.get("/things", headers={"traceparent": sent})
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["trace_id"] == TRACE) is kept
    assert len(line["trace_id"]) == 32
    assert line["request_id"]
