"""`python -m product_service seed`: add the demo catalogue."""

import sys
from pathlib import Path

import orjson

from libs.mongo_store.connection import connect
from libs.values.money import Money
from product_service.config import Config
from product_service.domain.errors import SkuTaken
from product_service.store.indexes import ensure_indexes
from product_service.use_cases.create_product import create_product

CATALOGUE = Path(__file__).with_name("demo_catalogue.json")


def seed_catalogue(config: Config) -> int:
    """Add the products whose SKU is missing; return the exit status."""
    connect(config.mongo_uri.get_secret_value())
    ensure_indexes()
    added = 0
    for entry in orjson.loads(CATALOGUE.read_bytes()):
        price = Money.parse(entry.pop("price"), config.shop_currency)
        try:
            create_product(**entry, price=price, actor="seed")
        except SkuTaken:  # an earlier run added it, and staff may have changed it since
            continue
        added += 1
    sys.stdout.write(f"{added} products added\n")
    return 0
