"""What is sent in a body: no field that is not asked for, no operator where a text is, no line break in a header."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.access.conftest import City, Operation, send
from tests.access.rules import RULES

TAKE_BODIES = [operation for operation in RULES if operation[1] in ("POST", "PUT", "PATCH")]
FOREIGN = (
    "role",
    "is_admin",
    "isAdmin",
    "total",
    "user_id",
    "userId",
    "password_hash",
    "version",
    "$where",
    "__proto__",
)
ODD = ({"$gt": ""}, {"$ne": None}, [], {"a": 1}, True)


def properties(document: Any, schema: Any) -> Iterator[dict[str, Any]]:
    """The properties of an object's schema, or of each of several."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "properties" in schema:
        yield schema["properties"]
    for other in schema.get("anyOf", ()):
        yield from properties(document, other)


def is_text(schema: Any) -> bool:
    return schema.get("type") == "string" or any(is_text(other) for other in schema.get("anyOf", ()))


def bodies(city: City, operation: Operation) -> list[dict[str, Any]]:
    described = city.operations[operation].get("requestBody")
    schema = described["content"]["application/json"]["schema"] if described else {"properties": {}}
    return list(properties(city.documents[operation[0]], schema))


def refused_fields(city: City, operation: Operation, body: Any) -> set[str]:
    """The fields that the answer to an admin complains of. Rate limits are far."""
    answer = send(city.people["admin"], operation, body)
    assert answer.status == 400, (body, answer)
    return {row["field"] for row in answer.json["errors"]}


@pytest.mark.parametrize("operation", TAKE_BODIES, ids=" ".join)
def test_a_field_that_is_not_asked_for_is_refused(city: City, operation: Operation) -> None:
    known = {name for fields in bodies(city, operation) for name in fields}
    for name in set(FOREIGN) - known:
        assert name in refused_fields(city, operation, {name: "admin"})


@pytest.mark.parametrize("operation", TAKE_BODIES, ids=" ".join)
def test_an_operator_is_no_text(city: City, operation: Operation) -> None:
    for fields in bodies(city, operation):
        extra = {"items": []} if "items" in fields else {}
        for name in (name for name, schema in fields.items() if is_text(schema)):
            for odd in ODD:
                assert any(
                    field.partition(".")[0] == name for field in refused_fields(city, operation, extra | {name: odd})
                )


@pytest.mark.parametrize(
    "email", ["ada@example.com\r\nBcc: eve@example.com", "ada@example.com\nX: y", "ada@example.com, eve@example.com"]
)
def test_no_address_breaks_into_the_headers_of_a_mail(city: City, email: str) -> None:
    fields = {"username": "header-ada", "email": email, "password": "Correct-horse-battery"}
    assert "email" in refused_fields(city, ("user", "POST", "/register"), fields)
    assert "to" in refused_fields(city, ("notification", "POST", "/test-email"), {"to": email})


@pytest.mark.parametrize("name", ["<b>ada</b>", "ada\r\nX: y", "{{7*7}}", "ada\x00", "ad\u0430"])
def test_a_username_is_no_markup(city: City, name: str) -> None:
    fields = {"username": name, "email": "markup@example.com", "password": "Correct-horse-battery"}
    assert "username" in refused_fields(city, ("user", "POST", "/register"), fields)


def test_a_line_break_in_an_address_makes_no_header(city: City) -> None:
    answer = city.people["admin"].call("product", "GET", "/products/x%0d%0aX-Evil:%20yes")
    assert answer.status == 404
