"""The routes, who may call them, and what health shows before the consumer starts."""

import pytest


@pytest.mark.parametrize(("method", "path"), [("POST", "/test-email"), ("GET", "/emails")])
def test_a_request_without_a_token_is_refused(client, method, path):
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


def test_before_it_consumes_the_service_is_alive_and_not_ready(client):
    assert client.get("/health/live").status_code == 200
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json["checks"]["consumer"]["reason"]) == (503, "not consuming yet")
    health = client.get("/health")
    assert (health.status_code, health.json["status"]) == (200, "degraded")
    assert health.json["checks"]["smtp"]["status"] == "ok"


def test_the_api_document_lists_the_routes_with_their_responses(client):
    paths = client.get("/openapi.json").json["paths"]
    assert set(paths) == {"/test-email", "/emails", "/emails/{kind}"}
    assert set(paths["/test-email"]["post"]["responses"]) == {
        "202",
        "400",
        "401",
        "403",
        "413",
        "415",
        "422",
        "429",
        "503",
    }
    assert paths["/test-email"]["post"]["summary"].startswith("Send a test mail")


def test_metrics_and_documents_are_served(client):
    assert "# HELP" in client.get("/metrics").text
    assert client.get("/docs/").status_code == 200
