"""People of every kind in one running shop, and its OpenAPI documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pytest

from deploy.local.probe import Answer, call
from tests.access.rules import ROLES
from tests.e2e.conftest import Person, Town, wait_for
from tests.shop import PORTS, Shop

Operation = tuple[str, str, str]  # service, method, path
NOBODY_HAS = "0" * 24  # an id of the right form


class City(Town):
    """A town with staff of each role."""

    @cached_property
    def documents(self) -> dict[str, Any]:
        """The OpenAPI document of each service."""
        return {service: call(int(self.shop.env[port]), "GET", "/openapi.json").json for service, port in PORTS.items()}

    @cached_property
    def operations(self) -> dict[Operation, Any]:
        """What the documents say that can be called."""
        return {
            (service, method.upper(), path): operation
            for service, document in self.documents.items()
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
            if isinstance(operation, dict)
        }

    @cached_property
    def people(self) -> dict[str, Person]:
        """One of each kind; `disabled` still holds the token of before."""
        boss = self.staff()
        people = {name: self.customer() for name in ("customer", "other", *ROLES, "disabled")}
        for role in ROLES:
            self._patch(boss, people[role], {"roles": [role]})
            people[role].log_in()
        self._patch(boss, people["disabled"], {"active": False})
        return {"nobody": Person(self.shop, "", "", ""), **people}

    def another(self, actor: str) -> Person:
        """Somebody new of that kind."""
        person = self.customer()
        if actor in ROLES:
            self._patch(self.staff(), person, {"roles": [actor]})
            person.log_in()
        return person

    def id_of(self, person: Person) -> str:
        """The id of an account."""
        found: str = person.call("user", "GET", "/users/me").json["id"]
        return found

    def _patch(self, boss: Person, person: Person, change: dict[str, Any]) -> None:
        answer = boss.call("user", "PATCH", f"/users/{self.id_of(person)}", change)
        assert answer.status == 200, answer


@pytest.fixture(scope="session")
def city(shop: Shop) -> Iterator[City]:
    return City(shop)


def send(person: Person, operation: Operation, body: Any = None, **ids: str) -> Answer:
    """Call an operation with ids that do not exist, unless `ids` say others, and an empty body where it takes one."""
    service, method, path = operation
    address = re.sub(r"{(\w+)}", lambda found: ids.get(found[1], NOBODY_HAS), path)
    return person.call(service, method, address, {} if body is None and method in ("POST", "PUT", "PATCH") else body)


__all__ = ["City", "Operation", "Person", "send", "wait_for"]
