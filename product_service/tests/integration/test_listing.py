"""Lists: search, filters, orders and pages, over HTTP on a real database."""

import base64
import secrets

import orjson
import pytest

from product_service.queries.products import SORTS
from product_service.store.documents import products


@pytest.fixture
def word():
    """A word that no other test's product holds."""
    return "w" + secrets.token_hex(5)


def names(client, path, **more):
    """The names on all pages from `path` on."""
    found = []
    while path:
        page = client.get(path, **more)
        assert page.status_code == 200, page.json
        found += [product["name"] for product in page.json["results"]]
        path = page.json["next"]
    return found


def test_every_word_must_match_in_name_or_description_whatever_the_case(client, make, word):
    make(name=f"{word} red lamp")
    make(name=f"{word} blue lamp", description="with a red switch")
    make(name=f"{word} green chair")
    assert len(names(client, f"/products?search={word}")) == 3
    assert len(names(client, f"/products?search=LAMP+{word.upper()}+red")) == 2
    assert names(client, f"/products?search={word}+chair,") == [f"{word} green chair"]
    assert names(client, f"/products?search={word}+yellow") == []


@pytest.mark.parametrize("search", ['"', "-lamp", '"lamp', "\\", "lamp\\", "$where", "the", "a" * 100, "%00"])
def test_any_search_is_only_words(client, search):
    assert client.get("/products", query_string={"search": search}).status_code in (200, 400)


def test_a_search_without_a_word_is_refused_and_so_is_an_empty_one(client):
    assert client.get("/products?search=!!").status_code == 400
    for name in ("search", "category", "minPrice", "inStock", "sort", "limit", "cursor", "active"):
        answer = client.get(f"/products?{name}=")
        assert [(row["field"], row["code"]) for row in answer.json["errors"]] == [(name, "blank")]


def test_filters_narrow_the_list(client, make, word):
    make(name=f"{word} a", price="5.00", stock=0, category="Café & Bar")
    make(name=f"{word} b", price="10.00", stock=1)
    make(name=f"{word} c", price="15.00", stock=2)
    path = f"/products?search={word}&sort=name"
    assert names(client, path + "&minPrice=10") == [f"{word} b", f"{word} c"]
    assert names(client, path + "&maxPrice=10.00") == [f"{word} a", f"{word} b"]
    assert names(client, path + "&minPrice=10&maxPrice=10") == [f"{word} b"]
    assert names(client, path + "&inStock=true") == [f"{word} b", f"{word} c"]
    assert names(client, path + "&inStock=false") == [f"{word} a"]
    assert names(client, path + "&maxStock=1") == [f"{word} a", f"{word} b"]
    assert names(client, path + "&inStock=true&maxStock=1") == [f"{word} b"]
    assert names(client, path + "&category=Caf%C3%A9+%26+Bar") == [f"{word} a"]


@pytest.mark.parametrize(
    ("sort", "order"), [("newest", "dcba"), ("price", "bcda"), ("-price", "adcb"), ("name", "bdac"), ("", "dcba")]
)
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_orders_hold_over_pages_and_equal_prices(client, make, word, sort, order, limit):
    titles = {"a": "Éclair", "b": "apple", "c": "Zebra", "d": "Banana"}
    prices = {"a": "9.00", "b": "1.00", "c": "5.00", "d": "5.00"}
    for letter in "abcd":
        make(name=f"{titles[letter]} {word}", price=prices[letter])
    path = f"/products?search={word}&limit={limit}" + (f"&sort={sort}" if sort else "")
    assert names(client, path) == [f"{titles[letter]} {word}" for letter in order]


@pytest.mark.parametrize("limit", [1, 100])
def test_the_fewest_pieces_come_first_whatever_their_number_of_digits(client, make, word, limit):
    for stock in (100, 9, 0, 10, 9):
        make(name=f"{word} {stock}", stock=stock)
    found = names(client, f"/products?search={word}&sort=stock&limit={limit}&maxStock=10")
    assert found == [f"{word} {stock}" for stock in (0, 9, 9, 10)]


@pytest.mark.parametrize("sort", SORTS)
def test_pages_lead_back_the_way_they_came(client, make, word, sort):
    for number in range(5):
        make(name=f"{word} {number}", price="1.00")
    first = client.get(f"/products?search={word}&limit=2&sort={sort}").json
    second = client.get(first["next"]).json
    third = client.get(second["next"]).json
    assert first["previous"] is None
    assert third["next"] is None
    assert len(third["results"]) == 1
    assert client.get(third["previous"]).json["results"] == second["results"]
    assert client.get(second["previous"]).json["results"] == first["results"]


def test_next_is_an_address_that_keeps_the_filters(client, make, word):
    for _ in range(2):
        make(name=f"{word} lamp")
    address = client.get(f"/products?search={word}+lamp&limit=1&sort=price", base_url="http://shop.example:8000").json[
        "next"
    ]
    assert address.startswith("/products?")
    assert f"search={word}+lamp" in address


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "limit=x", "limit=", "cursor=garbage", "cursor=", "sort=password", "colour=red"),
        *(
            "minPrice=abc",
            "minPrice=-1",
            "minPrice=",
            "maxPrice=1.001",
            "inStock=maybe",
            "maxStock=-1",
            "maxStock=few",
            "active=maybe",
            "search[$gt]=x",
        ),
    ],
)
def test_bad_queries_are_refused(client, query):
    answer = client.get(f"/products?{query}")
    assert answer.status_code == 400
    assert answer.json["errors"]


@pytest.mark.parametrize(
    "cursor",
    [
        ["newest", False, 1, "not-an-id"],
        ["newest", False, 2**62, "0" * 24],
        ["newest", False, "x", "0" * 24],
        ["price", False, 1, "0" * 24],
        ["newest", False],
        ["newest", 1, 1, "0" * 24],
        {"a": 1},
        5,
        None,
    ],
)
def test_forged_cursors_are_refused(client, cursor):
    text = base64.urlsafe_b64encode(orjson.dumps(cursor)).decode().rstrip("=")
    assert client.get(f"/products?cursor={text}").status_code == 400


def test_a_forged_price_beyond_the_databases_numbers_is_refused(client):
    text = base64.urlsafe_b64encode(orjson.dumps(["price", False, 2**64 - 1, "0" * 24])).decode().rstrip("=")
    assert client.get(f"/products?sort=price&cursor={text}").status_code == 400


def test_a_cursor_fits_its_address_whatever_the_name(client, make, word):
    for _ in range(2):
        make(name=f"{word} " + "\ufdfa" * 180)
    address = client.get(f"/products?search={word}&sort=name&limit=1").json["next"]
    assert len(address) < 1000
    assert len(client.get(address).json["results"]) == 1


def test_inactive_products_are_listed_for_viewers_alone(client, staff, token_of, make, word):
    active, inactive = make(name=f"{word} active"), make(name=f"{word} inactive")
    client.delete(f"/products/{inactive['id']}", headers=staff)
    path = f"/products?search={word}"
    assert names(client, path) == names(client, path + "&active=true") == [active["name"]]
    assert client.get(path + "&active=false").status_code == 401
    assert client.get(path + "&active=false", headers=token_of()).status_code == 403
    assert names(client, path + "&active=false", headers=token_of("viewer")) == [inactive["name"]]


def test_a_bad_token_is_refused_where_none_is_required(client):
    assert client.get("/products", headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_slash_at_the_end_makes_no_difference(client, make):
    product = make()
    assert client.get("/products/").status_code == 200
    assert client.get(f"/products/{product['id']}/").json == product


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("backwards", [False, True])
def test_no_order_is_made_in_memory(app, sort, backwards):
    order = SORTS[sort]
    direction = -order.direction if backwards else order.direction
    plan = products().find({"$and": [{"active": True}]}).sort([(order.field, direction), ("_id", direction)]).explain()
    assert "'SORT'" not in str(plan["queryPlanner"]["winningPlan"])


def test_low_stock_is_found_by_an_index(app):
    found = products().find({"$and": [{"active": True}, {"stock": {"$lte": 10}}]}).sort([("stock", 1), ("_id", 1)])
    plan = str(found.limit(11).explain()["queryPlanner"]["winningPlan"])
    assert "'indexName': 'stock'" in plan
    assert "'SORT'" not in plan
