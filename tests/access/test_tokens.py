"""Forged tokens at every route that reads one: 401, and nothing else."""

from __future__ import annotations

import pytest

from tests.access.conftest import City, Operation, Person, send
from tests.access.forged import forge
from tests.access.rules import RULES, checks_tokens

PROTECTED = [operation for operation in RULES if checks_tokens(operation)]


@pytest.fixture(scope="module")
def forged(city: City) -> dict[str, str]:
    return forge(city.people["admin"].token, city.shop.env["JWT_SECRET"])


def test_there_are_many_ways_to_forge_one(forged: dict[str, str]) -> None:
    assert len(set(forged.values())) >= 40


@pytest.mark.parametrize("operation", PROTECTED, ids=" ".join)
def test_a_forged_token_opens_nothing(city: City, forged: dict[str, str], operation: Operation) -> None:
    answers = {kind: send(Person(city.shop, "", "", "", token), operation) for kind, token in forged.items()}
    assert {kind: answer.status for kind, answer in answers.items() if answer.status != 401} == {}
    assert {answer.json["code"] for answer in answers.values()} == {"not-authenticated"}


@pytest.mark.parametrize("operation", PROTECTED, ids=" ".join)
def test_a_refresh_token_is_no_access_token(city: City, operation: Operation) -> None:
    ada = city.people["customer"]
    refresh = ada.call("user", "POST", "/login", {"email": ada.email, "password": ada.password}).json["refresh"]
    assert send(Person(city.shop, "", "", "", refresh), operation).status == 401
