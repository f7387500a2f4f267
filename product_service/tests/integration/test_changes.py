"""What staff changed: an entry for each change, in its transaction, for viewers."""

import secrets

import pytest
from bson import ObjectId

from product_service.store.documents import changes


@pytest.fixture
def read(client, token_of):
    """`read(product_id)`: the entries of all pages, the newest first."""

    def entries(product_id, limit=100):
        path, found = f"/products/{product_id}/changes?limit={limit}", []
        while path:
            page = client.get(path, headers=token_of("viewer"))
            assert page.status_code == 200, page.json
            found += page.json["results"]
            path = page.json["next"]
        return found

    return entries


def test_each_change_by_staff_leaves_an_entry_with_its_actor(client, token_of, read):
    actor = str(ObjectId())
    staff, path = token_of("staff", user_id=actor), "/products"
    body = {"name": "Lamp", "price": "1.00", "stock": 5, "sku": secrets.token_hex(4)}
    product = client.post(path, json=body, headers=staff).json["product"]
    path = f"/products/{product['id']}"
    client.patch(path, json={"price": "2.5", "stock": 7, "imageUrl": "/a.png"}, headers=staff)
    client.patch(path, json={"price": 2.5}, headers=staff)  # changes nothing
    client.post(f"{path}/stock", json={"delta": -3, "reason": "broken"}, headers=staff)
    client.delete(path, headers=staff)
    client.patch(path, json={"active": True}, headers=staff)
    found = read(product["id"])
    assert [(entry["action"], entry["changes"]) for entry in reversed(found)] == [
        (
            "created",
            {
                "name": [None, "Lamp"],
                "description": [None, ""],
                "sku": [None, body["sku"]],
                "price": [None, "1.00"],
                "currency": [None, "USD"],
                "stock": [None, 5],
                "active": [None, True],
            },
        ),
        ("updated", {"imageUrl": [None, "/a.png"], "price": ["1.00", "2.50"], "stock": [5, 7]}),
        ("stock-adjusted", {"stock": [7, 4]}),
        ("withdrawn", {"active": [True, False]}),
        ("restored", {"active": [False, True]}),
    ]
    assert {entry["actor"] for entry in found} == {actor}
    assert set(found[0]) == {"id", "at", "actor", "action", "changes"}
    assert found == sorted(found, key=lambda entry: entry["at"], reverse=True)
    assert read(product["id"], limit=1) == read(product["id"], limit=2) == found


def test_pages_lead_back_the_way_they_came(client, token_of, staff, make):
    path = f"/products/{make()['id']}"
    for stock in range(4):
        client.patch(path, json={"stock": stock}, headers=staff)
    viewer = token_of("viewer")
    first = client.get(f"{path}/changes?limit=2", headers=viewer).json
    second = client.get(first["next"], headers=viewer).json
    assert first["previous"] is None
    assert client.get(second["previous"], headers=viewer).json["results"] == first["results"]


def test_a_refused_change_and_an_order_leave_no_entry(client, staff, make, place, read):
    product, other = make(stock=5), make(sku=secrets.token_hex(4))
    client.post(f"/products/{product['id']}/stock", json={"delta": -6, "reason": "x"}, headers=staff)
    client.patch(f"/products/{product['id']}", json={"sku": other["sku"]}, headers=staff)
    place((product["id"], 2, "19.90"))
    assert [entry["action"] for entry in read(product["id"])] == ["created"]


def test_the_entry_and_the_change_are_one_transaction(client, staff, make, pending, monkeypatch):
    product = make(stock=5)

    def fail(*arguments):
        raise RuntimeError

    monkeypatch.setattr("product_service.store.product_changes.add", fail)
    assert client.patch(f"/products/{product['id']}", json={"name": "x"}, headers=staff).status_code == 500
    body = {"delta": 1, "reason": "x"}
    assert client.post(f"/products/{product['id']}/stock", json=body, headers=staff).status_code == 500
    assert client.get(f"/products/{product['id']}").json == product


def test_only_viewers_read_the_changes_of_products_that_exist(client, token_of, make):
    path = f"/products/{make()['id']}/changes"
    assert client.get(path).status_code == 401
    assert client.get(path, headers=token_of()).status_code == 403
    assert client.get(path, headers=token_of("viewer")).status_code == 200
    for product_id in ("0" * 24, "x"):
        assert client.get(f"/products/{product_id}/changes", headers=token_of("viewer")).status_code == 404
    for query in ("limit=0", "cursor=x", "sort=newest"):
        assert client.get(f"{path}?{query}", headers=token_of("viewer")).status_code == 400


def test_the_entries_are_read_by_an_index(app):
    found = changes().find({"$and": [{"product": ObjectId()}]}).sort([("at", -1), ("_id", -1)]).limit(21)
    plan = str(found.explain()["queryPlanner"]["winningPlan"])
    assert "'indexName': 'product'" in plan
    assert "'SORT'" not in plan
