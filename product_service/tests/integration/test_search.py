"""The search for what people type, over HTTP on a real database."""

# ruff: noqa: RUF001 -- characters that resemble others are what is tested

import secrets

import pytest

from product_service.store.documents import products
from product_service.store.indexes import fill_missing_fields


@pytest.fixture
def word():
    """A word that no other test's product holds."""
    return "w" + secrets.token_hex(5)


@pytest.fixture
def found(client):
    """`found(search=…)`: the ids of the products of a list."""

    def ids(**query):
        answer = client.get("/products", query_string=query)
        assert answer.status_code == 200, answer.json
        return [product["id"] for product in answer.json["results"]]

    return ids


@pytest.mark.parametrize(
    "typed", ["men's", "men’s", "shirt", "shirts", "“shirt”", "GRÖSSE", "größe", "lamp-stand", "Stands"]
)
def test_a_search_finds_what_people_type(make, found, word, typed):
    product = make(name=f"{word} Men’s “Shirt” Größe", description="With a Lamp–Stand")
    assert found(search=f"{word} {typed}") == [product["id"]]
    assert found(search=f"{word} {typed} chair") == []


def test_a_search_knows_skus_whatever_the_case_and_the_dash(make, found, word):
    product = make(sku=f"AB-{word}-12")
    make(sku=f"{word}-AB-12")
    for typed in (f"ab-{word}-12", f"AB–{word.upper()}", f"ab-{word}-12 lamp"):
        assert found(search=typed) == [product["id"]]


def test_a_change_of_the_texts_changes_what_finds_them(make, found, client, staff, word):
    product = make(name=f"{word} lamp", sku=f"{word}x")
    client.patch(f"/products/{product['id']}", json={"name": f"{word} chair", "sku": None}, headers=staff)
    assert found(search=f"{word} chairs") == [product["id"]]
    assert found(search=f"{word} lamp") == found(search=f"{word}x") == []


def test_categories_are_compared_without_case(make, found):
    name = "Gärten " + secrets.token_hex(4)
    product = make(category=name)
    for typed in (name, name.upper(), name.lower(), name.replace("ä", "a\u0308")):
        assert found(category=typed) == [product["id"]]
    assert make(category=name.upper())["category"] == name.upper()
    assert found(category=name[:-1]) == []


@pytest.mark.parametrize(
    "fields", [{"search_words": {"$in": ["lamp"]}}, {"category_key": "lamps"}], ids=["words", "category"]
)
def test_a_search_and_a_category_use_an_index(make, fields):
    make(name="Lamp", category="Lamps")
    where = {"$and": [{"active": True}, fields]}
    plan = products().find(where).sort([("created_at", -1), ("_id", -1)]).limit(21).explain()
    winning = str(plan["queryPlanner"]["winningPlan"])
    assert f"'indexName': '{next(iter(fields))}'" in winning
    assert "'SORT'" not in winning
    assert "COLLSCAN" not in winning


def test_a_search_of_several_words_reads_an_index(make, word):
    make(name=f"{word} lamp")
    words = [{"search_words": {"$in": ["lamp", "lamps"]}}, {"search_words": {"$in": [word]}}]
    plan = products().find({"$and": [{"active": True}, *words]}).explain()
    assert plan["executionStats"]["totalDocsExamined"] <= 2


def test_products_of_earlier_versions_get_their_fields(make, found, client, word):
    product = make(name=f"{word} Lamp", category=f"Cat {word}")
    new = {"search_words": "", "words_version": "", "category_key": "", "currency": ""}
    products().update_one({"name": product["name"]}, {"$unset": new})
    assert client.get(f"/products/{product['id']}").json == product
    assert found(search=word) == []
    assert fill_missing_fields("USD") >= 1
    assert found(search=f"{word} lamps") == found(category=f"cat {word}") == [product["id"]]
    assert client.get(f"/products/{product['id']}").json == product
    assert products().find_one({"name": product["name"]})["currency"] == "USD"
    assert fill_missing_fields("EUR") == 0


def test_words_of_earlier_rules_are_made_anew(make, found, word):
    product = make(name=f"{word} Lamps")
    products().update_one({"name": product["name"]}, {"$set": {"search_words": [word], "words_version": 1}})
    assert found(search=f"{word} lamp") == []
    assert fill_missing_fields("USD") == 1
    assert found(search=f"{word} lamp") == [product["id"]]
    assert fill_missing_fields("USD") == 0
