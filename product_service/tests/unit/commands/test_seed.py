"""The demo catalogue holds valid products, each once."""

import orjson

from product_service.api.schemas import NewProduct
from product_service.commands.seed import CATALOGUE


def test_every_entry_is_a_valid_product_with_an_own_sku():
    entries = [NewProduct.model_validate(entry) for entry in orjson.loads(CATALOGUE.read_bytes())]
    assert len({entry.sku for entry in entries} - {None}) == len(entries) >= 20
    assert len({entry.category for entry in entries}) >= 5
    assert all(entry.description for entry in entries)
