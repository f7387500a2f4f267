"""`python -m product_service republish`: publish every product again, for consumers that lost events."""

import argparse
import sys
from collections.abc import Sequence

from libs.mongo_store.connection import connect
from product_service.config import Config
from product_service.use_cases.republish_products import republish_products, version_floor


def republish(config: Config, arguments: Sequence[str]) -> int:
    """Store the events; return the exit status."""
    parser = argparse.ArgumentParser(prog="republish", description=__doc__)
    parser.add_argument(
        "--restored",
        action="store_true",
        help="the database is an older copy: raise all versions above those that were ever given",
    )
    restored = parser.parse_args(arguments).restored
    connect(config.mongo_uri.get_secret_value())
    floor = version_floor() if restored else 0
    count = republish_products(currency=config.shop_currency, floor=floor)
    sys.stdout.write(f"{count} products will be sent again by the worker\n")
    if restored:
        sys.stdout.write(f"When order_service has read them, run: order_service retire-products --below {floor}\n")
    return 0
