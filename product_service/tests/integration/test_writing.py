"""Adding, changing and removing products, over HTTP on a real database."""

import secrets

import orjson
import pytest

FIELDS = {
    "id", "sku", "name", "description", "category", "imageUrl", "price", "currency", "stock", "active", "version",
    "createdAt", "updatedAt",
}  # fmt: skip


def test_adding_a_product_stores_it_with_its_event_and_its_first_movement(client, staff, pending, moved):
    sku = secrets.token_hex(4)
    body = {"name": " Lamp ", "price": 12.5, "stock": 7, "sku": sku, "category": "Lighting", "imageUrl": "/img/a.png"}
    answer = client.post("/products", json=body, headers=staff)
    product = answer.json["product"]
    assert (answer.status_code, answer.json["status"]) == (201, "success")
    assert set(product) == FIELDS
    assert {k: product[k] for k in ("name", "price", "stock", "sku", "category", "imageUrl", "description")} == {
        **body, "name": "Lamp", "price": "12.50", "description": "",
    }  # fmt: skip
    assert (product["currency"], product["active"], product["version"]) == ("USD", True, 1)
    assert answer.headers["Location"] == f"/products/{product['id']}"
    assert answer.headers["ETag"] == '"1.7"'
    (row,) = pending(product["id"])
    assert (row["topic"], row["sequence"]) == ("product-created", 1)
    assert orjson.loads(row["payload"])["price"] == "12.50"
    assert moved(product["id"]) == [7]


def test_a_product_without_stock_has_no_movement_yet(make, moved):
    assert moved(make(stock=0)["id"]) == []


@pytest.mark.parametrize(
    ("sent", "shown"),
    [("0", "0.00"), (0, "0.00"), ("99999.99", "99999.99"), (19.9, "19.90"), ("1.5", "1.50"), (3, "3.00")],
)
def test_prices_come_as_text_or_number_and_go_out_as_text(make, sent, shown):
    assert make(price=sent)["price"] == shown


@pytest.mark.parametrize(
    "token", ["1e-400", "10.000000000000000001", "1e400", "19.999999999999999999", "1e-99999999999999999999"]
)
def test_a_number_is_taken_exactly_or_refused(client, staff, token):
    raw = b'{"name": "Lamp", "stock": 1, "price": ' + token.encode() + b"}"
    answer = client.post("/products", data=raw, content_type="application/json", headers=staff)
    assert answer.status_code == 400
    raw = raw.replace(token.encode(), b"10.000000")
    answer = client.post("/products", data=raw, content_type="application/json", headers=staff)
    assert answer.json["product"]["price"] == "10.00"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "a\uffffb"}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"description": "a\u2028b"}, "description"),
        ({"sku": "\u3164"}, "sku"),
        ({"category": "a\ue000"}, "category"),
        ({"imageUrl": "/a\uffff.png"}, "imageUrl"),
        ({"name": {"$gt": ""}}, "name"),
        ({"name": None}, "name"),
        ({"description": "x" * 5001}, "description"),
        ({"price": "-1"}, "price"),
        ({"price": "1.001"}, "price"),
        ({"price": 1.001}, "price"),
        ({"price": "NaN"}, "price"),
        ({"price": "1e3"}, "price"),
        ({"price": "100000"}, "price"),
        ({"price": True}, "price"),
        ({"price": None}, "price"),
        ({"price": [1]}, "price"),
        ({"stock": -1}, "stock"),
        ({"stock": 1.5}, "stock"),
        ({"stock": "5"}, "stock"),
        ({"stock": 10_000_001}, "stock"),
        ({"sku": ""}, "sku"),
        ({"sku": "x" * 65}, "sku"),
        ({"category": "x" * 101}, "category"),
        ({"imageUrl": "javascript:alert(1)"}, "imageUrl"),
        ({"imageUrl": "//evil.example/x.png"}, "imageUrl"),
        ({"version": 9}, "version"),
        ({"active": False}, "active"),
    ],
)
def test_bad_fields_are_named_and_nothing_is_stored(client, staff, changes, field):
    answer = client.post("/products", json={"name": "Lamp", "price": "1.00", "stock": 1} | changes, headers=staff)
    assert answer.status_code == 400
    assert field in [error["field"] for error in answer.json["errors"]]


@pytest.mark.parametrize("name", ["name", "price", "stock"])
def test_required_fields_are_missed(client, staff, name):
    body = {"name": "Lamp", "price": "1.00", "stock": 1}
    del body[name]
    answer = client.post("/products", json=body, headers=staff)
    assert [(error["field"], error["code"]) for error in answer.json["errors"]] == [(name, "missing")]


@pytest.mark.parametrize(
    ("roles", "status"), [(None, 401), ([], 403), (["viewer"], 403), (["staff"], 201), (["admin"], 201)]
)
def test_who_may_add_products(client, token_of, roles, status):
    headers = {} if roles is None else token_of(*roles)
    answer = client.post("/products", json={"name": "Lamp", "price": "1.00", "stock": 1}, headers=headers)
    assert answer.status_code == status


def test_only_staff_change_products(client, make, token_of):
    path, viewer = f"/products/{make()['id']}", token_of("viewer")
    assert client.patch(path, json={"price": "1"}, headers=viewer).status_code == 403
    assert client.put(path, json={"name": "x", "price": "1"}, headers=viewer).status_code == 403
    assert client.delete(path, headers=viewer).status_code == 403
    assert client.post(path + "/stock", json={"delta": 1, "reason": "found"}, headers=viewer).status_code == 403


def test_a_sku_is_unique_when_given(client, staff, make, pending):
    sku = secrets.token_hex(4)
    holder = make(sku=sku)
    body = {"name": "Lamp", "price": "1.00", "stock": 1, "sku": sku}
    answer = client.post("/products", json=body, headers=staff)
    assert (answer.status_code, answer.json["code"]) == (409, "sku-taken")
    assert (answer.json["productId"], answer.json["active"]) == (holder["id"], True)
    client.delete(f"/products/{holder['id']}", headers=staff)
    answer = client.post("/products", json=body, headers=staff)
    assert (answer.status_code, answer.json["productId"], answer.json["active"]) == (409, holder["id"], False)
    other = make(sku=None)
    make(sku=None)
    answer = client.patch(f"/products/{other['id']}", json={"sku": sku}, headers=staff)
    assert (answer.status_code, answer.json["code"], answer.json["productId"]) == (409, "sku-taken", holder["id"])
    assert len(pending(other["id"])) == 1


def test_a_patch_sets_what_it_sends_and_nothing_else(client, staff, make, pending):
    product = make(description="Bright", category="Lighting")
    answer = client.patch(f"/products/{product['id']}", json={"price": "13.00", "category": None}, headers=staff)
    changed = answer.json
    assert (changed["price"], changed["category"], changed["description"]) == ("13.00", None, "Bright")
    assert (changed["version"], answer.headers["ETag"]) == (2, '"2.100"')
    assert changed["updatedAt"] >= product["updatedAt"]
    assert [(row["topic"], row["sequence"]) for row in pending(product["id"])] == [
        ("product-created", 1),
        ("product-updated", 2),
    ]


def test_a_patch_that_changes_nothing_publishes_nothing(client, staff, make, pending):
    product = make()
    for body in ({}, {"price": product["price"], "name": product["name"], "sku": None, "stock": 100, "active": True}):
        assert client.patch(f"/products/{product['id']}", json=body, headers=staff).json == product
    assert len(pending(product["id"])) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"name": None},
        {"price": None},
        {"stock": None},
        {"active": None},
        {"description": None},
        {"version": 3},
        {"active": "no"},
    ],
)
def test_a_patch_with_odd_values_is_refused(client, staff, make, body):
    assert client.patch(f"/products/{make()['id']}", json=body, headers=staff).status_code == 400


def test_a_put_resets_what_it_leaves_out_but_for_the_stock(client, staff, make, moved):
    product = make(description="Bright", category="Lighting", sku=secrets.token_hex(4))
    path = f"/products/{product['id']}"
    changed = client.put(path, json={"name": "New", "price": "2.00"}, headers=staff).json
    reset = {"name": "New", "price": "2.00", "description": "", "category": None, "sku": None}
    assert changed == product | reset | {"version": 2, "updatedAt": changed["updatedAt"]}
    changed = client.put(path, json={"name": "New", "price": "2.00", "stock": 3}, headers=staff).json
    assert (changed["stock"], changed["version"]) == (3, 2)
    assert moved(product["id"]) == [100, -97]


def test_a_put_requires_name_and_price(client, staff, make):
    answer = client.put(f"/products/{make()['id']}", json={"stock": 1}, headers=staff)
    assert {error["field"] for error in answer.json["errors"]} == {"name", "price"}


def test_a_deleted_product_is_hidden_from_customers_and_comes_back_by_patch(client, staff, token_of, make, pending):
    product = make()
    path = f"/products/{product['id']}"
    assert client.delete(path, headers=staff).status_code == 204
    assert client.delete(path, headers=staff).status_code == 204
    assert client.get(path).status_code == 404
    assert client.get(path, headers=token_of()).status_code == 404
    assert client.get(path, headers=token_of("viewer")).json["active"] is False
    assert client.patch(path, json={"active": True}, headers=staff).json["active"] is True
    assert client.get(path).status_code == 200
    rows = pending(product["id"])
    assert [row["topic"] for row in rows] == ["product-created", "product-deleted", "product-updated"]
    assert [orjson.loads(row["payload"])["active"] for row in rows] == [True, False, True]


@pytest.mark.parametrize("product_id", ["not-an-id", "0" * 24, "%00", "123456789012"])
def test_unknown_products_are_missing(client, staff, product_id):
    path = f"/products/{product_id}"
    answers = [
        client.get(path),
        client.patch(path, json={"price": "1"}, headers=staff),
        client.put(path, json={"name": "x", "price": "1"}, headers=staff),
        client.delete(path, headers=staff),
        client.post(path + "/stock", json={"delta": 1, "reason": "found"}, headers=staff),
    ]
    assert [answer.status_code for answer in answers] == [404] * 5
    assert {answer.content_type for answer in answers} == {"application/problem+json"}


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        *((raw, 400) for raw in (b"{not json", b"\xff\xfe", b"", b"[" * 2000, b"null", b"[1]", b'{"price": NaN}')),
        (b'{"name": "' + b"x" * 100_000 + b'"}', 413),
    ],
)
def test_bad_bodies_are_refused(client, staff, raw, status):
    answer = client.post("/products", data=raw, content_type="application/json", headers=staff)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
