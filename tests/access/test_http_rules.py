"""What all four services have in common, at each route of their documents: parameters, bodies, tokens, options, hosts."""

from __future__ import annotations

import gzip
import json
import re
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from deploy.local.ports import LOOPBACK
from tests.access.conftest import NOBODY_HAS, City, Operation
from tests.access.rules import RULES, checks_tokens
from tests.access.test_bodies import bodies
from tests.shop import PORTS

NAMES = [" ".join(operation) for operation in RULES]
WITH_BODY = [operation for operation in RULES if operation[1] in ("POST", "PUT", "PATCH")]
PUBLIC = [operation for operation in RULES if RULES[operation].least == "anyone" and checks_tokens(operation)]
PROBES = ("/health", "/health/live", "/health/ready", "/metrics")
HOSTS = ("10.42.0.17:3000", "evil.example", "[", "a b")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Response:
    """Status, headers and body."""

    def __init__(self, answer: HTTPResponse) -> None:
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(city: City, operation: Operation, body: bytes | None = None, suffix: str = "", **headers: str) -> Response:
    """One request, with ids that do not exist."""
    service, method, path = operation
    fields = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if body is not None else {})
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = HTTPConnection(LOOPBACK, int(city.shop.env[PORTS[service]]), timeout=30)
    try:
        connection.request(method, re.sub(r"{\w+}", NOBODY_HAS, path) + suffix, body, fields)
        return Response(connection.getresponse())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def admin(city: City) -> str:
    return f"Bearer {city.another('admin').token}"


@pytest.mark.parametrize("operation", RULES, ids=NAMES)
def test_a_repeated_parameter_is_refused(city: City, admin: str, operation: Operation) -> None:
    body = b"{}" if operation in WITH_BODY else None
    for suffix in ("?limit=1&limit=2", "?x=1&x=1", "?%6cimit=1&limit=1"):
        answer = ask(city, operation, body, suffix, Authorization=admin)
        assert (answer.status, answer.json["code"]) == (400, "repeated")
        assert [(row["field"], row["code"]) for row in answer.json["errors"]] in (
            [("limit", "repeated")],
            [("x", "repeated")],
        )


@pytest.mark.parametrize("operation", WITH_BODY, ids=" ".join)
def test_a_repeated_name_is_refused(city: City, admin: str, operation: Operation) -> None:
    raw = b'{"name": {"a": [{"b": 1, "b": 2}]}}'
    answer = ask(city, operation, raw, Authorization=admin)
    assert (answer.status, answer.json["code"]) == (400, "repeated")
    assert [row["field"] for row in answer.json["errors"]] == ["name.a.0.b"]


@pytest.mark.parametrize("operation", WITH_BODY, ids=" ".join)
def test_a_body_is_json_in_utf_8_without_coding(city: City, admin: str, operation: Operation) -> None:
    answer = ask(city, operation, gzip.compress(b"{}"), Authorization=admin, Content_Encoding="gzip")
    assert (answer.status, answer.json["code"]) == (415, "unsupported-content-encoding")
    assert answer.headers["Accept-Encoding"] == "identity"
    content_type = "application/json; charset=iso-8859-1"
    answer = ask(city, operation, b"{}", Authorization=admin, Content_Type=content_type)
    assert (answer.status, answer.json["code"]) == (415, "unsupported-charset")
    assert "iso-8859-1" in answer.json["detail"]
    marked = ask(city, operation, b'\xef\xbb\xbf{"nonsense": 1}', Authorization=admin)
    assert (marked.status, marked.json["code"]) == (400, "invalid")
    assert "nonsense" in {row["field"] for row in marked.json["errors"]}


def test_no_body_is_no_object(city: City, admin: str) -> None:
    operations = [operation for operation in WITH_BODY if city.operations[operation].get("requestBody")]
    assert {operation[0] for operation in operations} == set(PORTS)
    for operation in operations:
        answer = ask(city, operation, b"", Authorization=admin)
        assert (answer.status, answer.json["code"]) == (400, "malformed-body"), operation


@pytest.mark.parametrize("operation", WITH_BODY, ids=" ".join)
def test_refused_fields_have_names_and_words_of_ours(city: City, admin: str, operation: Operation) -> None:
    odd = (None, 1, 1.5, True, "", "\x00", "x" * 5001, [], {}, [{}], "-1")
    for fields, value in ((fields, value) for fields in bodies(city, operation) for value in odd):
        body = {"nonsense": value, **dict.fromkeys(fields, value)}
        answer = ask(city, operation, json.dumps(body).encode(), Authorization=admin)
        assert answer.status == 400, answer.body
        for row in answer.json["errors"]:
            assert row["field"]
            assert re.fullmatch(r"[a-z]+(-[a-z]+)*", row["code"])
            assert not re.search(r"Value error|Input should|pattern|\^|\$|pydantic|validation", row["message"])


@pytest.mark.parametrize("operation", [o for o in RULES if checks_tokens(o)], ids=" ".join)
def test_the_header_of_a_token_is_read_by_one_rule(city: City, admin: str, operation: Operation) -> None:
    token, body = admin.removeprefix("Bearer "), b'{"nonsense": 1}' if operation in WITH_BODY else None
    if operation[1] != "DELETE" and operation[2] != "/users/me/export":
        for header in (f"BEARER {token}", f"bearer   {token}", f"  Bearer {token} "):
            assert ask(city, operation, body, Authorization=header).status not in (401, 403), header
    for header in ("Bearer", "Bearer x", f"Bearer {token} x", f"BEARER\t{token}", f"Bearer {token},"):
        answer = ask(city, operation, body, Authorization=header)
        assert (answer.status, answer.json["code"]) == (401, "not-authenticated"), header
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    for header in ("Basic dTpw", "Digest x", token, ""):
        answer = ask(city, operation, body, Authorization=header)
        if operation in PUBLIC:
            assert answer.status in (200, 404)
        else:
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), header


def test_a_token_without_the_right_gets_403(city: City) -> None:
    customer = f"Bearer {city.people['customer'].token}"
    for operation in (o for o in RULES if RULES[o].least in ("viewer", "staff", "admin")):
        answer = ask(city, operation, b"{}" if operation in WITH_BODY else None, Authorization=customer)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (403, 'Bearer error="insufficient_scope"')


@pytest.mark.parametrize("operation", RULES, ids=NAMES)
def test_a_slash_at_the_end_of_a_path_makes_no_difference(city: City, operation: Operation) -> None:
    service, method, path = operation
    body = b'{"nonsense": 1}' if operation in WITH_BODY else None
    customer = {"Authorization": f"Bearer {city.people['customer'].token}"}
    headers = customer if RULES[operation].least in ("viewer", "staff", "admin") else {}  # so that nothing is changed
    first, second = (ask(city, (service, method, p), body, **headers) for p in (path, f"{path}/"))
    assert (second.status, second.json.get("code")) == (first.status, first.json.get("code"))


@pytest.mark.parametrize("operation", RULES, ids=NAMES)
@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_options_has_one_answer_everywhere(city: City, operation: Operation, accept: str) -> None:
    service, method, path = operation
    for headers in ({}, {"Origin": "https://evil.example"}, {"Authorization": "Bearer x"}):
        answer = ask(city, (service, "OPTIONS", path), Accept=accept, **headers)
        assert (answer.status, answer.body) == (204, b"")
        assert {method, "OPTIONS"} <= set(answer.headers["Allow"].split(", "))
    unknown = ask(city, (service, "OPTIONS", f"{path}/x/y/z"), Accept=accept)
    assert (unknown.status, unknown.json["code"]) == (404, "not-found")


@pytest.mark.parametrize("service", PORTS)
def test_the_server_itself_has_options(city: City, service: str) -> None:
    answer = ask(city, (service, "OPTIONS", "*"), Accept=BROWSER)
    assert (answer.status, answer.headers["Allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")


@pytest.mark.parametrize("service", PORTS)
@pytest.mark.parametrize("host", HOSTS)
def test_probes_and_scrapes_may_come_by_address(city: City, service: str, host: str) -> None:
    for path in PROBES:
        assert ask(city, (service, "GET", path), Host=host).status == 200


def test_an_empty_parameter_is_refused_wherever_parameters_are_read(city: City, admin: str) -> None:
    lists = [(o, d) for o, d in city.operations.items() if any(p["in"] == "query" for p in d.get("parameters", ()))]
    assert {operation[0] for operation, _ in lists} == set(PORTS)
    for operation, described in lists:
        for name in (p["name"] for p in described["parameters"] if p["in"] == "query"):
            answer = ask(city, operation, suffix=f"?{name}=", Authorization=admin)
            assert [(row["field"], row["code"]) for row in answer.json["errors"]] == [(name, "blank")], operation
