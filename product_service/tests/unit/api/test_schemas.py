"""The JSON of requests, and its names in the domain."""

import pytest
from pydantic import ValidationError

from libs.values.money import Money
from product_service.api.schemas import NewProduct, PatchProduct, ProductsQuery, ReplaceProduct

LEAST = {"name": "Lamp", "price": "1.5"}
RESET = {
    "name": "Lamp",
    "description": "",
    "price": Money(150, "USD"),
    "sku": None,
    "category": None,
    "image_url": None,
}


def test_a_new_product_has_the_domains_names():
    assert NewProduct.model_validate({**LEAST, "stock": 1}).product_fields("USD") == {**RESET, "stock": 1}


def test_a_replacement_names_every_field_but_a_stock_that_was_not_sent():
    assert ReplaceProduct.model_validate(LEAST).product_fields("USD") == RESET
    assert ReplaceProduct.model_validate({**LEAST, "stock": 0}).product_fields("USD") == {**RESET, "stock": 0}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({}, {}),
        ({"price": 2}, {"price": Money(200, "USD")}),
        (
            {"sku": None, "imageUrl": "https://example.com/a.png"},
            {"sku": None, "image_url": "https://example.com/a.png"},
        ),
        ({"active": False, "stock": 0, "description": ""}, {"active": False, "stock": 0, "description": ""}),
    ],
)
def test_a_patch_holds_only_the_fields_that_were_sent(sent, stored):
    assert PatchProduct.model_validate(sent).product_fields("USD", sent_only=True) == stored


@pytest.mark.parametrize("url", ["/a.png", "/img/a%20b.png?x=1", "http://example.com", "https://example.com/a.png"])
def test_a_picture_has_a_web_address_or_a_path_on_the_shops_own_host(url):
    assert PatchProduct.model_validate({"imageUrl": url}).image_url == url


@pytest.mark.parametrize(
    "url",
    [
        *("", "a.png", "/", "//evil.example", "/\\evil.example", "/a b", "/a\n", "/" + "a" * 2000),
        *("https://example.com/\u2800", "https://example.com/a\u200db", "/a\ufe0f", "//example.com/a"),
        *("javascript:alert(1)", "data:image/png;base64,x", "https://"),
    ],
)
def test_a_picture_with_another_address_is_refused(url):
    with pytest.raises(ValidationError):
        PatchProduct.model_validate({"imageUrl": url})


def test_a_query_reads_prices_in_minor_units():
    query = ProductsQuery.model_validate({"minPrice": "1.5", "maxPrice": "20", "inStock": "true"})
    assert (query.min_price, query.max_price, query.in_stock) == (150, 2000, True)
    assert (query.active, query.sort) == (True, "newest")


@pytest.mark.parametrize("text", ["1_0", " 1", "1\n", "1.0", "+1", "1e1", "\u0661", "\uff11", "9" * 5000])
def test_a_number_of_a_query_has_digits_alone(text):
    with pytest.raises(ValidationError):
        ProductsQuery.model_validate({"maxStock": text})
    assert ProductsQuery.model_validate({"maxStock": "010"}).max_stock == 10


@pytest.mark.parametrize("model", [NewProduct, ReplaceProduct, PatchProduct])
def test_the_defaults_that_mean_nothing_are_not_documented(model):
    schema = model.model_json_schema(by_alias=True)
    assert "default" not in schema["properties"]["price"]
    assert "default" not in schema["properties"]["stock"]
