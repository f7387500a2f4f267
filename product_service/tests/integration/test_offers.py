"""GET /products/offers: what is on sale now, for orders that differ from a replica."""

import pytest
from bson import ObjectId


def test_offers_are_the_present_prices_of_those_on_sale(client, staff, make):
    lamp, oil, gone = make(price="19.90"), make(price="5.00"), make()
    client.patch(f"/products/{lamp['id']}", json={"price": "24.90"}, headers=staff)
    client.delete(f"/products/{gone['id']}", headers=staff)
    ids = ",".join([oil["id"], lamp["id"], gone["id"], str(ObjectId()), lamp["id"]])
    answer = client.get(f"/products/offers?ids={ids}")
    assert answer.status_code == 200
    shown = client.get(f"/products/{lamp['id']}").json
    fields = ("id", "name", "price", "currency", "active", "version", "updatedAt")
    first, second = answer.json["results"]
    assert first == {name: shown[name] for name in fields}
    assert (first["price"], first["version"], second["id"]) == ("24.90", 2, oil["id"])


@pytest.mark.parametrize(
    "query", ["", "?ids=", "?ids=x", "?ids=" + ",".join(["a" * 24] * 51), "?ids=" + "A" * 24, "?x=1"]
)
def test_ids_are_needed_and_at_most_fifty(client, query):
    assert client.get(f"/products/offers{query}").status_code == 400


def test_nothing_on_sale_is_an_empty_list(client):
    assert client.get(f"/products/offers?ids={ObjectId()}").json == {"results": []}
