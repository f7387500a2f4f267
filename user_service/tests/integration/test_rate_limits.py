"""Rate limits: they stop a client that guesses, and no other client."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

from user_service.api.app import limits
from user_service.domain.errors import TooManyAttempts
from user_service.store import password_hashes
from user_service.store import users as store
from user_service.store.documents import User, users
from user_service.store.limits.rate_limits import Limiter
from user_service.tests.integration.test_mail_links import ask, mails, reset
from user_service.tests.integration.test_registration import new_account

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


def login(client, person, password="wrong-password", **environ):
    return client.post("/login", json={"email": person.email, "password": password}, environ_base=environ)


@pytest.fixture
def hashed(monkeypatch) -> Iterator[list[str]]:
    """The passwords that were hashed."""
    seen: list[str] = []
    fits = password_hashes.fits

    def note(password: str, stored: str) -> bool:
        seen.append(password)
        return fits(password, stored)

    monkeypatch.setattr(password_hashes, "fits", note)
    return seen


def test_five_wrong_logins_are_checked_and_then_none_not_even_the_right_one(client, people, hashed):
    person = people.make()
    hashed.clear()
    assert [login(client, person).status_code for _ in range(5)] == [401] * 5
    refused = login(client, person)
    assert (refused.status_code, refused.json["code"]) == (429, "too-many-attempts")
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert login(client, person, person.password).status_code == 429
    assert len(hashed) == 5


def test_who_has_reset_the_password_may_sign_in_at_once(client, people, pending):
    person = people.make()
    for _ in range(6):
        login(client, person)
    for _ in range(6):
        login(client, person, **ELSEWHERE)
    ask(client, person.email)
    assert reset(client, mails(pending, person, "reset")[-1]["token"], "Another-horse").status_code == 204
    assert login(client, person, "Another-horse", **ELSEWHERE).status_code == 429
    assert login(client, person, "Another-horse").status_code == 200


def test_a_right_password_of_a_disabled_account_counts_as_a_wrong_one(client, people):
    person = people.make()
    users().update_one({"username": person.username}, {"$set": {"active": False}})
    assert [login(client, person, person.password).status_code for _ in range(6)] == [401] * 5 + [429]


def test_the_owner_can_log_in_from_another_address(client, people):
    person = people.make()
    for _ in range(6):
        login(client, person, REMOTE_ADDR="192.0.2.1")
    assert login(client, person, person.password, **ELSEWHERE).status_code == 200


def test_another_account_can_log_in_from_the_same_address(client, people):
    person, other = people.make(), people.make()
    for _ in range(6):
        login(client, person)
    assert login(client, other, other.password).status_code == 200


def test_accounts_that_are_none_are_limited_alike(client, people):
    person = people.make()
    person.email = f"unknown-{person.email}"
    assert [login(client, person).status_code for _ in range(6)] == [401] * 5 + [429]


def test_a_right_login_clears_the_count_of_wrong_ones(client, people):
    person = people.make()
    for _ in range(3):
        assert [login(client, person).status_code for _ in range(4)] == [401] * 4
        assert login(client, person, person.password).status_code == 200


def test_wrong_logins_at_once_are_no_more_than_those_in_a_row(app, people, hashed):
    person = people.make()
    hashed.clear()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: login(app.test_client(), person), range(32)))
    assert sorted(a.status_code for a in answers) == [401] * 5 + [429] * 27
    assert len(hashed) == 5


def test_right_logins_at_once_all_work(app, people):
    person = people.make()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: login(app.test_client(), person, person.password), range(32)))
    assert {a.status_code for a in answers} == {200}


def test_a_stolen_token_does_not_help_to_guess_the_password(client, people):
    person = people.make()
    body = {"current": "wrong-password", "new": "Another-horse"}
    statuses = [client.post("/users/me/password", json=body, headers=person.headers).status_code for _ in range(6)]
    assert statuses == [400] * 5 + [429]


def test_registrations_are_limited_by_address(client, app, config, monkeypatch):
    limiter = Limiter(User._get_db(), limits(config) | {"register": "2/hour"})
    monkeypatch.setitem(app.extensions, "limiter", limiter)
    environ = {"REMOTE_ADDR": "192.0.2.8"}
    statuses = [client.post("/register", json=new_account(), environ_base=environ).status_code for _ in range(3)]
    assert statuses == [201, 201, 429]
    assert client.post("/register", json=new_account(), environ_base=ELSEWHERE).status_code == 201


def test_a_new_name_shows_which_names_are_taken_as_seldom_as_a_registration(client, people, app, config, monkeypatch):
    limiter = Limiter(User._get_db(), limits(config) | {"register": "2/hour"})
    monkeypatch.setitem(app.extensions, "limiter", limiter)
    environ = {"REMOTE_ADDR": f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"}
    person, other = people.make(), people.make()

    def rename(name, where=environ, **more):
        answer = client.patch("/users/me", json={"username": name} | more, headers=person.headers, environ_base=where)
        return answer.status_code

    same = {"email": person.email, "password": person.password}
    assert [rename(f"x{person.username}"), rename(f"y{person.username}"), rename(f"z{person.username}")] == [200] * 3
    assert [rename(other.username), rename(other.username, **same)] == [409, 409]
    assert [rename(other.username), rename(other.username, **same), rename(f"x{person.username}")] == [429] * 3
    assert client.post("/register", json=new_account(), environ_base=environ).status_code == 429
    assert rename(f"x{person.username}", ELSEWHERE) == 200


def test_a_forwarded_address_from_a_client_is_ignored(client, people):
    person = people.make()
    headers = [{"X-Forwarded-For": f"198.51.100.{n}"} for n in range(6)]
    body = {"email": person.email, "password": "wrong-password"}
    assert [client.post("/login", json=body, headers=h).status_code for h in headers] == [401] * 5 + [429]


class _Broken:
    def __init__(self, error):
        self._error = error

    def __getattr__(self, name):
        def fail(*_arguments):
            raise self._error

        return fail


def test_without_room_in_the_database_limits_are_counted_in_memory(app):
    limiter = Limiter(User._get_db(), {"login": "2/hour"})
    limiter._shared = _Broken(OperationFailure("no space left"))
    limit = limiter.limit("login", account="ann", client_address="192.0.2.1")
    limit.enforce_hit(), limit.enforce_hit()
    with pytest.raises(TooManyAttempts):
        limit.enforce_hit()


def test_without_a_database_nothing_is_let_through(app):
    limiter = Limiter(User._get_db(), {"login": "2/hour"})
    limiter._shared = _Broken(ServerSelectionTimeoutError())
    with pytest.raises(ServerSelectionTimeoutError):
        limiter.limit("login", account="ann", client_address="192.0.2.1").enforce_hit()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
def test_an_address_is_what_one_customer_of_a_provider_has(app, one, other, same):
    limiter = Limiter(User._get_db(), {"login": "1/hour"})
    account = f"{one} {other}"
    assert limiter.limit("login", account=account, client_address=one).hit()
    assert limiter.limit("login", account=account, client_address=other).hit() is not same


def test_the_account_is_not_in_the_key(app, people, client):
    person = people.make()
    login(client, person)
    kept = str(list(User._get_db()["rate_windows"].find()))
    assert person.email.casefold() not in kept.casefold()


def test_the_first_attempts_of_all_may_come_at_once(app):
    limiter = Limiter(User._get_db(), {"login": "100/hour"})
    with ThreadPoolExecutor(16) as pool:
        for number in range(20):
            limit = limiter.limit("login", account=f"at once {number}", client_address="192.0.2.1")
            assert all(pool.map(lambda _, limit=limit: limit.hit(), range(16)))


@pytest.fixture
def two_failures(app, config, monkeypatch) -> str:
    """A client address that no account knows, and a limit of two failed logins an address."""
    limiter = Limiter(User._get_db(), limits(config) | {"failures": "2/15minutes"})
    monkeypatch.setitem(app.extensions, "limiter", limiter)
    return f"198.51.{secrets.randbelow(256)}.{secrets.randbelow(256)}"


def test_one_address_can_not_try_a_password_on_all_accounts(client, people, two_failures):
    victims, neighbour, stranger = [people.make() for _ in range(2)], people.make(), people.make()
    assert login(client, neighbour, neighbour.password, REMOTE_ADDR=two_failures).status_code == 200
    assert {login(client, victim, REMOTE_ADDR=two_failures).status_code for victim in victims} == {401}
    refused = login(client, stranger, stranger.password, REMOTE_ADDR=two_failures)
    assert (refused.status_code, refused.json["code"]) == (429, "too-many-attempts")
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    stranger.email = f"unknown-{stranger.email}"
    assert login(client, stranger, REMOTE_ADDR=two_failures).status_code == 429
    assert login(client, neighbour, neighbour.password, REMOTE_ADDR=two_failures).status_code == 200
    assert login(client, victims[0], victims[0].password, **ELSEWHERE).status_code == 200


def test_who_registered_behind_an_address_gets_in_from_there(client, people, two_failures):
    account, victim = new_account(), people.make()
    environ = {"REMOTE_ADDR": two_failures}
    assert client.post("/register", json=account, environ_base=environ).status_code == 201
    for _ in range(2):
        login(client, victim, **environ)
    body = {"email": account["email"], "password": account["password"]}
    assert client.post("/login", json=body, environ_base=environ).status_code == 200


def test_staff_get_in_at_the_desk_from_an_address_with_too_many_failures(
    client, people, app, config, monkeypatch, two_failures
):
    config = config.model_copy(update={"order_service_url": f"http://{two_failures}:3000"})
    monkeypatch.setitem(app.extensions, "config", config)
    staff, customer, environ = people.make("viewer"), people.make(), {"REMOTE_ADDR": two_failures}
    for _ in range(2):
        login(client, customer, **environ)
    assert login(client, customer, customer.password, **environ).status_code == 429
    assert login(client, staff, staff.password, **environ).status_code == 200


def test_wrong_codes_are_failed_logins_and_right_passwords_are_none(client, people, two_failures):
    person, other = people.make(), people.make()
    for _ in range(3):
        assert login(client, person, person.password, REMOTE_ADDR=two_failures).status_code == 200
    assert login(client, other, other.password, REMOTE_ADDR=two_failures).status_code == 200


def test_an_account_keeps_the_newest_addresses_and_as_hashes(client, people):
    person = people.make()
    for number in range(25):
        login(client, person, person.password, REMOTE_ADDR=f"203.0.113.{number}")
    (kept,) = users().find({"username": person.username})
    assert len(kept["known_addresses"]) == 20
    assert "203.0.113" not in str(kept)
    account = store.find(person.id)
    assert account.knows_client_address("203.0.113.24")
    assert not account.knows_client_address("203.0.113.4")


def test_of_logins_at_once_from_many_addresses_all_are_known(app, people):
    person = people.make()
    addresses = [f"203.0.113.{number}" for number in range(3)]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda a: login(app.test_client(), person, person.password, REMOTE_ADDR=a), addresses))
    assert {answer.status_code for answer in answers} == {200}
    assert all(store.find(person.id).knows_client_address(address) for address in addresses)
