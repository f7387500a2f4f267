"""How many accounts MongoDB examines for a page of the list: a bounded number, whatever is chosen, and no account is missing."""

import time

import pytest

from deploy.seeding import account_documents
from deploy.seeding.story import Size
from libs.values.pages import PageRequest, page_request
from tests.examined import examined
from user_service.queries.users import list_users
from user_service.store import documents

COUNT = 6_000
BOUND = PageRequest("newest").bound
ANY = {"search": None, "role": None, "active": None}


@pytest.fixture(scope="module")
def many(app):
    """Accounts in a database of their own, with the indexes of the service."""
    db = documents.User._get_db().client["user_service_examined"]
    account_documents.write(db, Size(products=1, orders=1, customers=COUNT, end=time.time()), lambda rows: None)
    for name, found in documents.users().index_information().items():
        if name != "_id_":
            options = {key: found[key] for key in ("unique", "sparse") if key in found}
            db["users"].create_index([(field, int(way)) for field, way in found["key"]], name=name, **options)
    last = [row["_id"] for row in db["users"].find().sort("_id", 1).limit(3)]
    db["users"].update_many({"_id": {"$in": last}}, {"$set": {"roles": ["staff"]}})
    db.command("profile", 2)
    yield db
    db.command("profile", 0)
    db.client.drop_database(db.name)


CHOICES = [
    {},
    {"active": False},
    {"active": True},
    {"role": "staff"},
    {"role": "staff", "active": True},
    {"search": "customer.4711"},
    {"search": "customer.4711@example.com"},
    {"search": "customer.5"},
    {"search": "customer."},
    {"search": "nobody"},
    {"search": "customer.", "active": False},
    {"search": "customer.", "role": "staff"},
]


@pytest.mark.parametrize("chosen", CHOICES, ids=str)
def test_each_page_examines_a_bounded_number_of_accounts_and_none_is_missing(many, monkeypatch, chosen):
    monkeypatch.setattr(documents, "users", lambda: many["users"])
    expected = [
        str(row["_id"])
        for row in many["users"].find().sort("_id", -1)
        if chosen.get("active") in (None, row["active"])
        and chosen.get("role") in (None, *row["roles"])
        and row["email_key"].startswith(chosen.get("search", ""))
    ]
    found, cursor, pages = [], None, 0
    while True:
        request = page_request(sort="newest", key_types=[str], limit="100", cursor=cursor)
        page, keys, read = examined(many, "users", lambda request=request: list_users(request, **{**ANY, **chosen}))
        assert keys <= 4 * (request.bound + 10)
        assert read <= 3 * (request.bound + 10)
        found += [user.id for user in page.results]
        cursor, pages = page.next, pages + 1
        if cursor is None:
            break
    assert found == expected
    assert pages <= COUNT / BOUND + len(found) / 100 + 2
