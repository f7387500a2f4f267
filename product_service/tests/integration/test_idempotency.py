"""Idempotency-Keys: a change that is sent twice is made once."""

import secrets
import threading
from datetime import timedelta

import pytest

from libs.values.idempotency import IdempotentRequest
from libs.values.times import now
from product_service.domain.idempotency import StoredResponse
from product_service.store import idempotency_keys
from product_service.store.documents import idempotency_keys as rows
from product_service.store.documents import movements, products


@pytest.fixture
def key():
    return {"Idempotency-Key": secrets.token_hex(8)}


@pytest.fixture
def adjust(client, staff, key):
    """`adjust(id, 12)`: a change of the stock with the key."""

    def post(product_id, delta, headers=None, **body):
        sent = {"delta": delta, "reason": "delivery"} | body
        return client.post(f"/products/{product_id}/stock", json=sent, headers=staff | key | (headers or {}))

    return post


def test_an_adjustment_that_is_sent_twice_is_made_once(make, adjust, moved, stock_of):
    product = make(stock=5)
    first, second = adjust(product["id"], 12), adjust(product["id"], 12)
    assert (first.status_code, first.data, first.headers["ETag"]) == (200, second.data, second.headers["ETag"])
    assert second.content_type == first.content_type == "application/json"
    assert (stock_of(product["id"]), moved(product["id"])) == (17, [5, 12])


def test_a_product_that_is_sent_twice_is_added_once(client, staff, key):
    body = {"name": f"Lamp {secrets.token_hex(4)}", "price": "1.00", "stock": 1}
    first, second = (client.post("/products", json=body, headers=staff | key) for _ in range(2))
    assert (first.status_code, first.data, first.headers["Location"]) == (201, second.data, second.headers["Location"])
    assert products().count_documents({"name": body["name"]}) == 1


def test_the_key_belongs_to_its_body_its_path_its_route_and_its_user(client, staff, token_of, make, adjust, key):
    one, other = make(stock=5), make(stock=5)
    assert adjust(one["id"], 1).status_code == 200
    for answer in (adjust(one["id"], 2), adjust(one["id"], 1, reason="broken"), adjust(other["id"], 1)):
        assert (answer.status_code, answer.json["code"]) == (422, "idempotency-key-reused")
    assert adjust(one["id"], 1, reason=" delivery ").status_code == 200
    assert adjust(one["id"], 1, headers=token_of("staff")).json["stock"] == 7
    body = {"name": "Lamp", "price": "1.00", "stock": 1}
    assert client.post("/products", json=body, headers=staff | key).status_code == 201


def test_a_refusal_is_not_stored(make, adjust, client, staff, key):
    product = make(stock=5)
    assert adjust(product["id"], -6).status_code == 409
    client.post(f"/products/{product['id']}/stock", json={"delta": 1, "reason": "x"}, headers=staff)
    assert adjust(product["id"], -6).json["stock"] == 0
    taken = make(sku=secrets.token_hex(4))
    body = {"name": "Lamp", "price": "1.00", "stock": 1, "sku": taken["sku"]}
    answer = client.post("/products", json=body, headers=staff | key)
    assert (answer.status_code, answer.json["productId"]) == (409, taken["id"])
    assert adjust("0" * 24, 1, headers={"Idempotency-Key": "other"}).status_code == 404


def test_a_key_ends_after_a_day(make, adjust, stock_of, key):
    product = make(stock=5)
    adjust(product["id"], 1)
    old = {"_id": {"$regex": key["Idempotency-Key"]}}
    rows().update_one(old, {"$set": {"created_at": now() - timedelta(hours=24)}})
    assert adjust(product["id"], 2).json["stock"] == 8
    assert adjust(product["id"], 2).json["stock"] == 8
    assert rows().index_information()["created_at"]["expireAfterSeconds"] == 86_400


@pytest.mark.parametrize("bad", ["", "x" * 129, "é"])
def test_a_malformed_key_is_refused(make, adjust, bad):
    answer = adjust(make()["id"], 1, headers={"Idempotency-Key": bad.encode().decode("latin-1")})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "Idempotency-Key")


def test_a_second_request_gets_409_while_the_first_is_processed(app, make, adjust, key, staff, stock_of, monkeypatch):
    product = make(stock=5)
    begun, end = threading.Event(), threading.Event()
    work = idempotency_keys._claim

    def claim_slowly(*arguments):
        work(*arguments)
        begun.set()
        assert end.wait(3)

    monkeypatch.setattr(idempotency_keys, "_claim", claim_slowly)
    body = {"delta": 12, "reason": "delivery"}
    answers = []
    client = app.test_client()

    def send():
        answers.append(client.post(f"/products/{product['id']}/stock", json=body, headers=staff | key))

    first = threading.Thread(target=send)
    first.start()
    assert begun.wait(3)
    monkeypatch.setattr(idempotency_keys, "_claim", work)
    second = adjust(product["id"], 12)
    end.set()
    first.join()
    assert (second.status_code, second.json["code"]) == (409, "idempotency-key-in-flight")
    assert answers[0].status_code == 200
    assert adjust(product["id"], 12).data == answers[0].data
    assert stock_of(product["id"]) == 17


def test_many_at_once_are_one(app, make, staff, key, stock_of):
    product, codes = make(stock=5), []

    def send():
        body = {"delta": 12, "reason": "delivery"}
        answer = app.test_client().post(f"/products/{product['id']}/stock", json=body, headers=staff | key)
        codes.append(answer.status_code)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) <= {200, 409}
    assert 200 in codes
    assert stock_of(product["id"]) == 17
    assert (
        movements().count_documents(
            {"reason": "delivery", "product": products().find_one({"name": product["name"]})["_id"]}
        )
        == 1
    )


def test_the_key_and_the_change_are_one_transaction(app, make):
    request = IdempotentRequest(user_id="u", route="r", key=secrets.token_hex(8), body={})

    def fail(transaction):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        idempotency_keys.transact(request, fail)
    assert idempotency_keys.find(request) is None
    reply = StoredResponse(status=200, body="{}", headers={})
    assert idempotency_keys.transact(request, lambda transaction: reply) == reply
    assert idempotency_keys.find(request) == (request.body_hash, reply)
