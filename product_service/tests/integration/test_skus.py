"""SKUs have one form: two products do not have SKUs that look the same, and older ones are migrated."""

import secrets

import pytest
from bson import ObjectId

from product_service.__main__ import migrate_skus
from product_service.store.documents import products


@pytest.fixture
def tag():
    return secrets.token_hex(4)


@pytest.fixture
def no_skus(app):
    """Products of other tests have none."""
    products().update_many({}, {"$unset": {"sku": ""}})


def store(product, sku):
    """As an earlier version stored it."""
    products().update_one({"_id": ObjectId(product["id"])}, {"$set": {"sku": sku}})


def test_composed_and_decomposed_letters_are_one_sku(client, staff, make, tag):
    first = make(sku=f"SKU-é {tag}")
    body = {"name": "Lamp", "price": "1.00", "stock": 1, "sku": f"SKU-e\u0301\u00a0{tag}"}
    answer = client.post("/products", json=body, headers=staff)
    assert (answer.status_code, answer.json["code"], answer.json["productId"]) == (409, "sku-taken", first["id"])
    other = make(sku=f"sku-é {tag}")  # case counts
    patched = client.patch(f"/products/{other['id']}", json={"sku": f"E\u0301  {tag}"}, headers=staff)
    assert patched.json["sku"] == f"É {tag}"


def test_stored_skus_are_migrated_with_an_event_and_a_change(
    client, staff, make, pending, config, capsys, no_skus, token_of, tag
):
    product, other = make(), make(sku=f"plain {tag}")
    store(product, f"e\u0301\u200b {tag}")
    assert migrate_skus(config, ["--dry-run"]) == 0
    assert capsys.readouterr().out.endswith("1 SKUs would change\n")
    assert migrate_skus(config, []) == 0
    assert capsys.readouterr().out == "1 SKUs were changed\n"
    assert client.get(f"/products/{product['id']}").json["sku"] == f"é {tag}"
    assert [row["topic"] for row in pending(product["id"])] == ["product-created", "product-updated"]
    assert len(pending(other["id"])) == 1
    [change, *_] = client.get(f"/products/{product['id']}/changes", headers=token_of("viewer")).json["results"]
    assert (change["actor"], change["changes"]["sku"]) == ("command", [f"e\u0301\u200b {tag}", f"é {tag}"])
    assert migrate_skus(config, []) == 0
    assert capsys.readouterr().out == "0 SKUs were changed\n"


def test_collisions_are_named_and_nothing_is_changed(client, make, config, capsys, no_skus, tag):
    first, second, third = make(sku=f"é {tag}"), make(), make()
    store(second, f"e\u0301 {tag}")
    store(third, f"x\u200b{tag}")
    for arguments in ([], ["--dry-run"]):
        assert migrate_skus(config, arguments) == 1
        error = capsys.readouterr().err
        assert first["id"] in error
        assert second["id"] in error
        assert error.endswith("1 SKUs have more than one product. Nothing was changed\n")
    assert client.get(f"/products/{third['id']}").json["sku"] == f"x\u200b{tag}"
    products().update_one({"_id": ObjectId(second["id"])}, {"$unset": {"sku": ""}})
    assert migrate_skus(config, []) == 0


@pytest.mark.parametrize("change", [str.upper, "{}%20".format, "%20{}".format])
def test_an_id_is_compared_byte_by_byte(client, staff, make, change):
    product_id = make()["id"]
    while product_id.isdigit():
        product_id = make()["id"]
    bodies = {"GET": None, "PATCH": {"name": "x"}, "DELETE": None}
    answers = [
        client.open(f"/products/{change(product_id)}", method=method, json=body, headers=staff)
        for method, body in bodies.items()
    ]
    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(404, "unknown-product")] * 3
    assert client.get(f"/products/{product_id}").status_code == 200
