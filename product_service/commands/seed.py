"""`python -m product_service seed`: the demo catalogue, so that a new shop has something to show."""

import sys
from pathlib import Path

import orjson

from libs.mongo_store.connection import connect
from product_service.api.schemas import NewProduct
from product_service.config import Config
from product_service.domain.errors import SkuTaken
from product_service.store.indexes import ensure_indexes
from product_service.use_cases.products import create_product

CATALOGUE = Path(__file__).with_name("demo_catalogue.json")


def seed_catalogue(config: Config) -> int:
    """Add the products whose SKU is not there yet; return the exit status."""
    connect(config.mongo_uri.get_secret_value())
    ensure_indexes()
    added = 0
    for entry in orjson.loads(CATALOGUE.read_bytes()):
        product = NewProduct.model_validate(entry)
        try:
            create_product(**product.stored(), currency=config.shop_currency, actor="seed")
        except SkuTaken:  # there from an earlier run, and perhaps changed by staff since
            continue
        added += 1
    sys.stdout.write(f"{added} products added\n")
    return 0
