"""Which logins and tokens are accepted, and how soon a revoked one is refused."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.e2e.conftest import Person, Town, wait_for

PROBES = {
    "user": ("GET", "/users"),
    "product": ("GET", "/products?active=false"),
    "order": ("GET", "/orders"),
    "notification": ("GET", "/emails"),
}
"""A route of each service that needs a token of staff."""
SECONDS = 5.0  # promised are 2 s for 95 of 100; a busy machine gets more


def answers(person: Person) -> dict[str, int]:
    """How each service answers this person's token."""
    return {service: person.call(service, *probe).status for service, probe in PROBES.items()}


def everywhere(person: Person, status: int) -> bool:
    return set(answers(person).values()) == {status}


def test_a_logout_ends_the_token_in_every_service_and_for_every_process_that_starts_later(town: Town) -> None:
    person = town.colleague()
    wait_for(lambda: everywhere(person, 200), "let in")
    session = person.call("user", "GET", "/users/me/sessions").json["results"][0]
    assert session["current"]
    assert person.call("user", "DELETE", f"/users/me/sessions/{session['id']}").status == 204
    wait_for(lambda: everywhere(person, 401), "out", SECONDS)
    town.shop.kill_and_wait("product-web", "order-web", "notification")
    assert answers(person) == dict.fromkeys(PROBES, 401)


def test_who_is_disabled_is_out_everywhere(town: Town) -> None:
    person, admin = town.colleague(), town.staff()
    wait_for(lambda: everywhere(person, 200), "let in")
    user_id = person.call("user", "GET", "/users/me").json["id"]
    assert admin.call("user", "PATCH", f"/users/{user_id}", {"active": False}).status == 200
    wait_for(lambda: everywhere(person, 401), "out", SECONDS)


def test_who_forgot_the_password_gets_in_again_by_mail(town: Town) -> None:
    ada = town.customer()
    assert ada.call("user", "POST", "/password-reset", {"email": ada.email}).status == 202
    mail = town.mail(ada, "Reset your password")
    link = re.search(r"(http://\S+)/password-reset\?token=([\w-]+)", mail.text)
    assert link
    assert link[1] == town.shop.url("user")
    body = {"token": link[2], "password": "Another-horse"}
    assert ada.call("user", "POST", "/password-reset/confirm", body).status == 204
    wait_for(lambda: ada.call("order", "GET", "/orders").status == 401, "the old token is void", SECONDS)
    replace(ada, password="Another-horse").log_in()


def test_an_address_is_verified_by_mail(town: Town) -> None:
    ada = town.customer()
    link = re.search(r"/verify-email\?token=([\w-]+)", town.mail(ada, "Verify your e-mail address").text)
    assert link
    assert ada.call("user", "POST", "/verify-email", {"token": link[1]}).status == 204
    assert ada.call("user", "GET", "/users/me").json["emailVerified"] is True


def test_a_customer_takes_all_data_along(town: Town) -> None:
    ada, staff = town.customer(), town.staff()
    order = ada.order(town.product(staff))
    kept = ada.call("user", "GET", "/users/me/export").json
    assert kept["account"]["email"] == ada.email
    assert [kept_order["id"] for kept_order in kept["orders"]] == [order["id"]]
