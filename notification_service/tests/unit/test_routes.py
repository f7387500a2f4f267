"""The routes, to whom they answer, and what they tell before anything is consumed."""

import pytest


@pytest.mark.parametrize(("method", "path"), [("POST", "/test-email"), ("GET", "/emails")])
def test_without_a_token_nobody_gets_in(client, method, path):
    answer = client.open(path, method=method, json={})
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert "Bearer" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("method", "path", "roles", "status"),
    [
        ("POST", "/test-email", (), 403),
        ("POST", "/test-email", ("viewer",), 403),
        ("GET", "/emails", (), 403),
        ("GET", "/emails", ("viewer",), 200),
        ("GET", "/emails", ("admin",), 200),
    ],
)
def test_customers_are_refused_and_viewers_may_read(client, as_role, method, path, roles, status):
    assert client.open(path, method=method, json={}, headers=as_role(*roles)).status_code == status


@pytest.mark.parametrize(
    "body",
    [
        {"to": "no-at"},
        {"to": ["ada@example.com"]},
        {"to": "ada@example.com\r\nBcc: eve@example.com"},
        {"to": {"$gt": ""}},
        {"cc": "ada@example.com"},
    ],
)
def test_a_bad_recipient_is_refused(client, as_role, body):
    answer = client.post("/test-email", json=body, headers=as_role("staff"))
    assert (answer.status_code, answer.json["code"]) == (400, "invalid")
    assert answer.json["errors"][0]["field"] in ("to", "cc")


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [(b"{", "application/json", 400), (b"", "application/json", 400), (b"<x/>", "text/xml", 415)],
)
def test_a_body_that_is_no_json_object_is_refused(client, as_role, raw, kind, status):
    answer = client.post("/test-email", data=raw, content_type=kind, headers=as_role("staff"))
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_before_it_consumes_the_service_is_alive_and_not_ready(client):
    assert client.get("/health/live").status_code == 200
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json["checks"]["consumer"]["reason"]) == (503, "not consuming yet")
    health = client.get("/health")
    assert (health.status_code, health.json["status"]) == (200, "degraded")
    assert health.json["checks"]["smtp"]["status"] == "ok"


def test_the_api_document_lists_the_routes_with_their_answers(client):
    paths = client.get("/openapi.json").json["paths"]
    assert set(paths) == {"/test-email", "/emails", "/emails/{kind}"}
    assert set(paths["/test-email"]["post"]["responses"]) == {"202", "400", "401", "403", "413", "415", "422", "503"}
    assert paths["/test-email"]["post"]["summary"].startswith("Send a test mail")


def test_metrics_and_documents_are_served(client):
    assert "# HELP" in client.get("/metrics").text
    assert client.get("/docs/").status_code == 200
