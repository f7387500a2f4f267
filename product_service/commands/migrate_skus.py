"""The command `migrate-skus`: give stored SKUs their one form, after the rule for SKUs has changed."""

import argparse
import sys

from libs.mongo_store.connection import connect
from product_service.config import Config
from product_service.domain.errors import SkuTaken, StaleProduct
from product_service.store.skus import Collision, SkuChange, find_changes
from product_service.use_cases.change_product import change_product

ACTOR = "command"
CHANGED_MEANWHILE = "A product has changed at the same time. Run the command again\n"


def migrate(config: Config, arguments: list[str]) -> int:
    """Write the SKUs, unless two products have the same one. Each is a change of its product, with its event.

    Returns the exit status.
    """
    parser = argparse.ArgumentParser(
        prog="python -m product_service migrate-skus",
        description="Give each stored SKU its one form. It changes nothing when two products have the same SKU then.",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would change")
    is_dry = parser.parse_args(arguments).dry_run
    connect(config.mongo_uri.get_secret_value())
    changes, collisions = find_changes()
    if collisions:
        return _report(collisions)
    for change in changes:
        if is_dry:
            sys.stdout.write(f"{change.product_id}: {change.old!a} becomes {change.new!a}\n")
        elif not _write(change, config):
            sys.stderr.write(CHANGED_MEANWHILE)
            return 1
    sys.stdout.write(f"{len(changes)} SKUs {'would change' if is_dry else 'were changed'}\n")
    return 0


def _write(change: SkuChange, config: Config) -> bool:
    """True when the SKU was written. False when the product, or one with the same SKU, has changed since it was read."""
    try:
        change_product(
            product_id=change.product_id,
            fields={"sku": change.new or None},
            if_match=[change.revision],
            currency=config.shop_currency,
            actor=ACTOR,
        )
    except (StaleProduct, SkuTaken):
        return False
    return True


def _report(collisions: list[Collision]) -> int:
    for collision in collisions:
        products = ", ".join(f"{product_id} ({sku!a})" for product_id, sku in collision.products)
        sys.stderr.write(f"{collision.sku!a}: {products}\n")
    sys.stderr.write(f"{len(collisions)} SKUs have more than one product. Nothing was changed\n")
    return 1
