"""Generated requests, single ones and chains, against every operation: no answer of 5xx, and none that is not documented.

`make test` sends what covers the documents once; `make fuzz` sets FUZZ_CASES, the requests for each service.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from libs.values.http_methods import METHODS
from tests.access.conftest import City, Person

CASES = int(os.environ.get("FUZZ_CASES", "1"))
EXAMPLES = 5 if CASES == 1 else 200
SECONDS = 1800
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance")
CHECKS += ("response_headers_conformance", "response_schema_conformance")
ENDING = {"/users/me/sessions": ["delete"], "/users/me/sessions/{sid}": ["delete"]}
"""What would end the caller's own token; tests/access calls them."""

UNKNOWN_METHODS = ("TRACE", "QUERY")
"""Methods that schemathesis tries besides. The services answer them with 501, which it takes for a fault of a server."""


@pytest.fixture(scope="module")
def admins(city: City) -> dict[str, Person]:
    """One for each service, made before the first request: the ones to user_service may end the others."""
    return {service: city.another("admin") for service in ("notification", "order", "product", "user")}


BEFORE_THE_APPLICATION = {"414": "the request line is over 4 KiB", "431": "a header is over 8 KiB"}
"""What the HTTP server refuses by itself, before the application."""


def prepare(city: City, service: str) -> Any:
    """The service's document, with the ids of real products beside any others, and with what the HTTP server refuses."""
    document = json.loads(json.dumps(city.documents[service]))
    for operation in (o for operations in document["paths"].values() for o in operations.values() if "responses" in o):
        for status, why in BEFORE_THE_APPLICATION.items():
            operation["responses"][status] = {"description": why, "content": {"application/problem+json": {}}}
    for path, methods in ENDING.items():
        for method in methods:
            document["paths"].get(path, {}).pop(method, None)
    products = [p["id"] for p in city.staff().call("product", "GET", "/products").json["results"]]
    assert products
    for name in ("OneItem", "WantedItem"):
        if schema := document["components"]["schemas"].get(name):
            schema["properties"]["productId"] = {"anyOf": [{"enum": products}, schema["properties"]["productId"]]}
    return document


def run(document: Path, url: str, token: str, report: Path) -> tuple[Any, str]:
    """One run of schemathesis; its report and what it printed."""
    config = report.with_suffix(".toml")
    tried = sorted(METHODS - {"HEAD"})  # schemathesis does not know HEAD as an unexpected method
    config.write_text(f"[phases.coverage]\nunexpected-methods = {tried}\n")
    argv = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(document), "--url", url]
    argv += ["-H", f"Authorization: Bearer {token}", "--checks", ",".join(CHECKS), "-n", str(EXAMPLES)]
    argv += ["--continue-on-failure", "--no-shrink", "--warnings", "off", "--report", "json"]
    argv += ["--report-json-path", str(report)]
    done = subprocess.run(argv, cwd=report.parent, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert report.exists(), done.stdout + done.stderr
    return json.loads(report.read_text()), done.stdout


@pytest.fixture(scope="module")
def documents(city: City, admins: dict[str, Person]) -> dict[str, Any]:
    return {service: prepare(city, service) for service in admins}


@pytest.mark.parametrize("service", ["notification", "order", "product", "user"])
def test_whatever_is_sent_the_answer_is_one_of_those_documented(
    city: City, admins: dict[str, Person], documents: dict[str, Any], service: str, tmp_path: Path
) -> None:
    document, sent = tmp_path / "openapi.json", 0
    document.write_text(json.dumps(documents[service]))
    while sent < CASES:
        admins[service].log_in()  # a token lasts for an hour at most
        report, printed = run(document, city.shop.url(service), admins[service].token, tmp_path / f"report-{sent}.json")
        cases = report["test_cases"]
        assert report["complete"], printed[-4000:]
        assert not cases["with_failures"] and not cases["errored"], printed[-8000:]  # noqa: PT018 -- one text for both
        assert admins[service].call(service, "GET", "/health/live").status == 200
        sent += cases["generated"]
    print(f"{service}: {sent} requests")  # noqa: T201


@pytest.mark.parametrize("method", UNKNOWN_METHODS)
def test_a_method_that_no_service_knows_is_501_on_each_path(
    admins: dict[str, Person], documents: dict[str, Any], method: str
) -> None:
    for service, document in documents.items():
        for path in document["paths"]:
            answer = admins[service].call(service, method, path.replace("{", "").replace("}", ""))
            assert (answer.status, answer.json["code"]) == (501, "not-implemented"), (service, path)
