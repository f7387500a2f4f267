"""What the service says about itself: documents, health, metrics."""

import socket
import time

import pytest
from django.test import Client
from werkzeug.test import Client as WerkzeugClient

from libs.values.times import now
from order_service.api.app import create_app
from order_service.store.models import CatalogueState
from order_service.store.worker_tables import worker_status
from order_service.tests.integration.test_placing import problem

pytestmark = pytest.mark.django_db

OPERATIONS = {
    ("get", "/orders"): {"200", "400", "401", "403", "503"},
    ("post", "/orders"): {"201", "400", "401", "403", "409", "413", "415", "422", "503"},
    ("get", "/orders/changes"): {"200", "400", "401", "403", "503"},
    ("get", "/orders/{order_id}"): {"200", "400", "401", "403", "404", "503"},
    ("post", "/orders/{order_id}/cancel"): {"200", "400", "401", "403", "404", "409", "413", "415", "422", "503"},
    ("put", "/orders/{order_id}/status"): {"200", "400", "401", "403", "404", "409", "413", "415", "503"},
}


@pytest.fixture
def document():
    answer = Client().get("/openapi.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    return answer.json()


def test_every_operation_is_documented_with_its_answers(document):
    found = {(verb, path): o for path, operations in document["paths"].items() for verb, o in operations.items()}
    assert {key: set(operation["responses"]) for key, operation in found.items()} == OPERATIONS
    for operation in found.values():
        assert operation["summary"].endswith(".")
        assert {"bearer": []} in operation["security"]
        for status, answer in operation["responses"].items():
            kind = "application/json" if status < "400" else "application/problem+json"
            assert "$ref" in answer["content"][kind]["schema"]


def test_both_shapes_of_an_order_are_documented(document):
    schemas = document["components"]["schemas"]
    shapes = [shape["$ref"].rpartition("/")[2] for shape in schemas["PlaceOrder"]["anyOf"]]
    assert [schemas[shape]["required"] for shape in shapes] == [["productId", "quantity"], ["items"]]
    assert schemas["ManyItems"]["properties"]["items"]["maxItems"] == 50


def test_every_parameter_of_the_list_is_documented(document):
    names = {p["name"] for p in document["paths"]["/orders"]["get"]["parameters"]}
    assert names == {
        "status",
        "createdAfter",
        "createdBefore",
        "updatedAfter",
        "userId",
        "search",
        "sort",
        "limit",
        "cursor",
    }
    names = {p["name"] for p in document["paths"]["/orders/changes"]["get"]["parameters"]}
    assert names == {"after", "limit"}


def test_the_idempotency_key_is_documented(document):
    [header] = document["paths"]["/orders"]["post"]["parameters"]
    assert (header["name"], header["in"], header.get("required", False)) == ("Idempotency-Key", "header", False)
    assert header["schema"]["pattern"] == "^[ -~]{1,128}$"


def test_every_reference_leads_somewhere(document):
    def references(node):
        if isinstance(node, dict):
            yield from [node["$ref"]] if "$ref" in node else []
            node = list(node.values())
        if isinstance(node, list):
            for child in node:
                yield from references(child)

    for reference in set(references(document)):
        assert reference.rpartition("/")[2] in document["components"]["schemas"]


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_the_pages_of_the_document_come_from_this_host(path):
    page = Client(headers={"accept": "text/html"}).get(path)
    text = page.content.decode()
    assert (page.status_code, "/docs/start.js" in text) == (200, True)
    assert "/openapi.json" in Client().get("/docs/start.js").content.decode()
    assert "//" not in text
    assert "<script>" not in text
    asset = Client().get("/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js")
    assert asset.status_code == 200
    asset.close()


def test_readiness_needs_a_loaded_catalogue():
    assert Client().get("/health/live/").status_code == 200
    ready = Client().get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["catalogue"]["status"]) == (503, "down")
    CatalogueState.objects.create(pk=1, end_offsets={}, ready_at=now())
    assert Client().get("/health/ready").json() == {
        "status": "ok",
        "service": "order_service",
        "version": "0.1.0",
        "checks": {"mysql": {"status": "ok"}, "catalogue": {"status": "ok"}},
    }


def test_health_and_metrics_show_the_worker():
    report = Client().get("/health")
    assert (report.status_code, report.json()["checks"]["worker"]["status"]) == (200, "down")
    part = {"pending": 3, "oldestAgeSeconds": 1.5, "published": 7}
    state = {"beat": time.time(), "host": socket.gethostname(), "parts": {"relay": part}}
    for _ in range(2):
        worker_status.write("host:1", state)
    assert Client().get("/health").json()["checks"]["worker"]["parts"] == {"relay": part}
    assert 'outbox_pending{part="relay"} 3.0' in Client().get("/metrics").content.decode()


def test_states_of_workers_that_ended_long_ago_are_deleted():
    for worker, beat in (("old", time.time() - 4000), ("new", time.time())):
        worker_status.write(worker, {"beat": beat, "host": worker, "parts": {}})
    assert [state["host"] for state in worker_status.read()] == ["new"]


def test_metrics_count_by_route_and_never_by_path(customer, place):
    order = place(customer)
    customer.get(f"/orders/{order}/")
    text = Client().get("/metrics").content.decode()
    assert 'route="/orders/<str:order_id>"' in text
    assert order not in text


def test_an_unknown_path_is_a_problem_with_the_callers_request_id():
    answer = Client(headers={"accept": "application/json"}).get(
        "/no-such-thing", headers={"x-request-id": "accept-1234"}
    )
    assert problem(answer, 404, "not-found")["requestId"] == "accept-1234"


def test_scripts_of_a_listed_site_may_ask_and_read_and_others_may_not(config, settings):
    settings.CORS_ORIGINS = frozenset({"https://shop.example"})
    client = WerkzeugClient(create_app(config.model_copy(update={"cors_origins": settings.CORS_ORIGINS})))
    ask = {"Access-Control-Request-Method": "POST", "Accept": "application/json"}
    preflight = client.options("/orders", headers=ask | {"Origin": "https://shop.example"})
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (204, "https://shop.example")
    assert "Idempotency-Key" in preflight.headers["Access-Control-Allow-Headers"]
    refused = client.options("/orders", headers=ask | {"Origin": "https://evil.example"})
    assert (refused.status_code, refused.headers.get("Access-Control-Allow-Origin")) == (204, None)
    answer = client.get("/orders", headers={"Origin": "https://shop.example"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, "https://shop.example")
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_behind_a_proxy_that_is_set_an_answer_over_tls_says_so(config):
    sent = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Host": "localhost"}
    for count in (0, 1):
        browser = WerkzeugClient(create_app(config.model_copy(update={"proxy_count": count})))
        answer = browser.get("/health/live", headers=sent)
        assert (answer.status_code, "Strict-Transport-Security" in answer.headers) == (200, bool(count))
