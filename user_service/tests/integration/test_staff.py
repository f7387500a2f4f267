"""What staff and admins may do with accounts, and what not."""

import pytest


def patch(client, who, whom, **body):
    return client.patch(f"/users/{whom.id}", json=body, headers=who.headers)


def test_customers_see_no_accounts(client, people):
    me, other = people.make(), people.make()
    assert client.get("/users", headers=me.headers).status_code == 403
    assert client.get(f"/users/{other.id}", headers=me.headers).status_code == 403
    assert patch(client, me, other, active=False).status_code == 403


@pytest.mark.parametrize("by", ["username", "email"])
def test_staff_find_an_account_by_the_beginning_of_its_names(client, people, by):
    viewer, other = people.make("viewer"), people.make()
    answer = client.get(f"/users?search={getattr(other, by)[:8].upper()}", headers=viewer.headers)
    assert [user["id"] for user in answer.json["results"]] == [other.id]


def test_a_search_is_text_and_no_pattern(client, people):
    viewer = people.make("viewer")
    assert client.get("/users?search=.*", headers=viewer.headers).json["results"] == []


def test_filters_narrow_the_list(client, people):
    admin, viewer, other = people.make("admin"), people.make("viewer"), people.make()
    patch(client, admin, other, active=False)
    inactive = client.get(f"/users?active=false&search={other.username}", headers=viewer.headers)
    assert [user["id"] for user in inactive.json["results"]] == [other.id]
    viewers = client.get("/users?role=viewer&limit=100", headers=viewer.headers)
    assert {tuple(user["roles"]) for user in viewers.json["results"]} == {("viewer",)}


FORGED = "WyJuZXdlc3QiLGZhbHNlLCJ4Il0"  # a cursor whose key is no id
BAD_QUERIES = [
    "limit=0",
    "limit=101",
    "limit=x",
    "cursor=garbage",
    f"cursor={FORGED}",
    "role=king",
    "active=maybe",
    "colour=red",
]


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_bad_queries_are_refused(client, people, query):
    assert client.get(f"/users?{query}", headers=people.make("viewer").headers).status_code == 400


def test_pages_hold_everyone_once_in_both_directions(client, people):
    viewer = people.make("viewer")
    made = [people.make() for _ in range(5)]
    path, seen, backwards = "/users?limit=2", [], None
    while path and not {person.id for person in made} <= set(seen):
        page = client.get(path, headers=viewer.headers).json
        seen += [user["id"] for user in page["results"]]
        path, backwards = page["next"], page["previous"]
    assert len(seen) == len(set(seen))
    assert [i for i in seen if i in {p.id for p in made}] == [p.id for p in reversed(made)]
    before = client.get(backwards, headers=viewer.headers).json
    assert [user["id"] for user in before["results"]] == seen[-4:-2] if len(seen) % 2 == 0 else seen[-3:-1]


def test_a_disabled_account_can_not_log_in_until_it_is_enabled(client, people, pending):
    staff, other = people.make("staff"), people.make()
    credentials = {"email": other.email, "password": other.password}
    assert patch(client, staff, other, active=False).json["active"] is False
    assert client.post("/login", json=credentials).status_code == 401
    patch(client, staff, other, active=True)
    assert client.post("/login", json=credentials).status_code == 200
    assert [row["topic"] for row in pending(other.id)[2:]] == ["user-updated", "user-revocations", "user-updated"]
    assert [row["sequence"] for row in pending(other.id)] == [1, 2, 3, 4, 5]


def test_a_viewer_changes_nothing(client, people):
    assert patch(client, people.make("viewer"), people.make(), active=False).status_code == 403


def test_staff_have_no_power_over_staff(client, people):
    staff, colleague = people.make("staff"), people.make("viewer")
    assert patch(client, staff, colleague, active=False).status_code == 403
    assert patch(client, staff, people.make(), roles=["staff"]).status_code == 403
    assert client.delete(f"/users/{colleague.id}", headers=staff.headers).status_code == 403


def test_an_admin_gives_and_takes_roles(client, people):
    admin, other = people.make("admin"), people.make()
    assert patch(client, admin, other, roles=["staff"]).json["roles"] == ["staff"]
    assert patch(client, admin, other, roles=[]).json["roles"] == []
    assert client.delete(f"/users/{other.id}", headers=admin.headers).status_code == 204
    assert client.get(f"/users/{other.id}", headers=admin.headers).status_code == 404


def test_an_admin_can_not_change_the_own_account(client, people):
    admin = people.make("admin")
    for answer in (patch(client, admin, admin, active=False), patch(client, admin, admin, roles=[])):
        assert (answer.status_code, answer.json["code"]) == (409, "own-account")


@pytest.mark.parametrize(
    "body", [{}, {"active": True, "roles": []}, {"roles": ["king"]}, {"active": "yes"}, {"password": "x" * 9}]
)
def test_odd_changes_are_refused(client, people, body):
    assert patch(client, people.make("admin"), people.make(), **body).status_code == 400


@pytest.mark.parametrize("user_id", ["not-an-id", "0" * 24])
def test_unknown_accounts_are_missing(client, people, user_id):
    admin = people.make("admin")
    for call in (client.get, client.delete):
        assert call(f"/users/{user_id}", headers=admin.headers).status_code == 404
