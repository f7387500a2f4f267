"""Conditional requests: a client that read an old state does not overwrite a newer one."""

import pytest


@pytest.mark.parametrize("form", ['"1.100"', 'W/"1.100"', '"0.0", "1.100"', "*"])
def test_an_unchanged_product_is_not_sent_again(client, make, form):
    answer = client.get(f"/products/{make()['id']}", headers={"If-None-Match": form})
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", '"1.100"')


@pytest.mark.parametrize("form", ['"1.99"', '"2.100"', "garbage", "", '"'])
def test_a_changed_one_is(client, make, form):
    answer = client.get(f"/products/{make()['id']}", headers={"If-None-Match": form})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1.100"')


@pytest.mark.parametrize("form", ['"1.100"', '"1.7"', '"9.9", "1.100"', "*"])
def test_a_change_of_the_present_version_is_made_with_any_stock(client, staff, make, form):
    headers = {**staff, "If-Match": form}
    assert client.patch(f"/products/{make()['id']}", json={"price": "2"}, headers=headers).status_code == 200


@pytest.mark.parametrize("form", ['"2.100"', 'W/"1.100"', "garbage", '"', '""', '"1', '"*"'])
def test_a_change_of_another_version_is_refused(client, staff, make, pending, form):
    product, headers = make(), {**staff, "If-Match": form}
    path = f"/products/{product['id']}"
    answers = [
        client.patch(path, json={"price": "2"}, headers=headers),
        client.put(path, json={"name": "x", "price": "2"}, headers=headers),
        client.delete(path, headers=headers),
    ]
    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(412, "stale-product")] * 3
    assert client.get(path).json == product
    assert len(pending(product["id"])) == 1


def test_a_client_that_sets_the_stock_must_have_read_the_present_one(client, staff, make):
    path = f"/products/{make(stock=5)['id']}"
    seen = client.get(path).headers["ETag"]
    client.post(path + "/stock", json={"delta": -1, "reason": "broken"}, headers=staff)
    assert client.patch(path, json={"stock": 9}, headers={**staff, "If-Match": seen}).status_code == 412
    assert (
        client.put(path, json={"name": "x", "price": "1", "stock": 9}, headers={**staff, "If-Match": seen}).status_code
        == 412
    )
    assert client.patch(path, json={"stock": 9}, headers={**staff, "If-Match": '"1.4"'}).json["stock"] == 9


def test_the_second_of_two_clients_that_read_the_same_state_is_refused(client, staff, make):
    path = f"/products/{make()['id']}"
    seen = {**staff, "If-Match": client.get(path).headers["ETag"]}
    assert client.patch(path, json={"price": "13.00"}, headers=seen).status_code == 200
    assert client.patch(path, json={"price": "14.00"}, headers=seen).status_code == 412
    assert client.get(path).json["price"] == "13.00"
