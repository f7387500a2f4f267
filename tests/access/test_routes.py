"""Every route with every actor: no token, a customer, another customer, viewer, staff, admin, and a disabled account."""

from __future__ import annotations

import pytest

from tests.access.conftest import City, Operation, send, wait_for
from tests.access.rules import RULES, checks_tokens
from tests.shop import SERVICES

ACTORS = ("nobody", "customer", "viewer", "staff", "admin")
NAMES = [" ".join(operation) for operation in RULES]


def test_every_route_has_a_rule_and_every_rule_a_route(city: City) -> None:
    assert set(city.operations) == set(RULES)


def test_the_documents_tell_which_routes_want_a_token(city: City) -> None:
    for operation, described in city.operations.items():
        optional = {} in described.get("security", [{}])
        assert optional == (RULES[operation].least == "anyone"), operation


@pytest.mark.parametrize("operation", RULES, ids=NAMES)
@pytest.mark.parametrize("actor", ACTORS)
def test_a_route_answers_those_who_may_use_it_and_refuses_all_others(
    city: City, operation: Operation, actor: str
) -> None:
    rule, person = RULES[operation], city.people[actor]
    if rule.last and rule.allows(actor):
        person = city.another(actor)
    answer = send(person, operation)
    if rule.allows(actor):
        known = {"user": ("/login", "/token/refresh")}.get(operation[0], ())
        assert answer.status < 500
        assert answer.status != 403, answer
        assert answer.status != 401 or operation[2] in known, answer
    else:
        code = ("not-authenticated", 401) if actor == "nobody" else ("not-allowed", 403)
        assert (answer.json["code"], answer.status) == code


@pytest.mark.parametrize("operation", [o for o in RULES if checks_tokens(o)], ids=" ".join)
def test_the_token_of_a_disabled_account_is_refused_everywhere(city: City, operation: Operation) -> None:
    person = city.people["disabled"]
    wait_for(lambda: send(person, operation).status == 401, "revoked")
    assert send(person, operation).json["code"] == "not-authenticated"


def test_a_disabled_account_can_not_sign_in_and_learns_no_more_than_a_stranger(city: City) -> None:
    person = city.people["disabled"]
    answers = [
        person.call("user", "POST", "/login", {"email": email, "password": person.password})
        for email in (person.email, "stranger@example.com")
    ]
    assert [(a.status, a.json["code"]) for a in answers] == [(401, "wrong-credentials")] * 2


def test_a_restart_loses_no_revocation(city: City) -> None:
    person = city.people["disabled"]
    city.shop.kill_and_wait(*SERVICES)
    reads = {"user": "/users/me", "product": "/products", "order": "/orders", "notification": "/emails"}
    assert {s: person.call(s, "GET", path).status for s, path in reads.items()} == dict.fromkeys(reads, 401)


def test_what_is_anothers_is_not_there_for_customers_and_is_for_those_who_work_here(city: City) -> None:
    owner, other = city.people["customer"], city.people["other"]
    order = owner.order(city.product(city.people["staff"]))["id"]
    read, cancel = ("order", "GET", "/orders/{order_id}"), ("order", "POST", "/orders/{order_id}/cancel")
    assert send(other, read, order_id=order).json["code"] == "unknown-order"
    assert send(other, cancel, order_id=order).status == 404
    assert order not in str(other.call("order", "GET", "/orders?limit=100").json)
    for role in ("viewer", "staff", "admin"):
        assert send(city.people[role], read, order_id=order).status == 200
    assert send(city.people["viewer"], cancel, order_id=order).status == 403
    assert send(city.people["staff"], cancel, order_id=order).status == 200


def test_a_login_can_be_ended_by_its_owner_alone(city: City) -> None:
    owner, other = city.people["customer"], city.people["other"]
    [session, *_] = owner.call("user", "GET", "/users/me/sessions").json["results"]
    end = ("user", "DELETE", "/users/me/sessions/{sid}")
    assert send(other, end, sid=session["id"]).status == 404
    assert owner.call("user", "GET", "/users/me").status == 200


def test_staff_have_no_power_over_those_who_work_here(city: City) -> None:
    staff, admin = city.people["staff"], city.people["admin"]
    patch = ("user", "PATCH", "/users/{user_id}")
    assert send(staff, patch, {"active": False}, user_id=city.id_of(admin)).status == 403
    assert send(staff, patch, {"roles": ["admin"]}, user_id=city.id_of(city.people["customer"])).status == 403
    assert send(staff, patch, {"roles": ["admin"]}, user_id=city.id_of(staff)).status in (403, 409)


def test_an_ended_login_is_refused_everywhere_within_two_seconds_and_one_of_the_same_second_is_not(city: City) -> None:
    person = city.customer()
    reads = [("user", "/users/me"), ("product", "/products"), ("order", "/orders")]
    old = person.token
    assert person.call("user", "DELETE", "/users/me/sessions").status == 204
    person.log_in()
    again, person.token = person.token, old
    for service, path in reads:
        wait_for(lambda s=service, p=path: person.call(s, "GET", p).status == 401, f"ended in {service}")
    person.token = again
    assert [person.call(service, "GET", path).status for service, path in reads] == [200] * 3
