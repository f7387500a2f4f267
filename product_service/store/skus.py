"""The SKUs of stored products that are not in the one form, after the rule for SKUs has changed."""

from collections import defaultdict
from dataclasses import dataclass

from product_service.domain.sku import canonical_sku
from product_service.store import documents


@dataclass(frozen=True, slots=True, kw_only=True)
class SkuChange:
    """A product whose SKU becomes another one. `revision`: the state of the product that was read."""

    product_id: str
    old: str
    new: str
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision:
    """Products that would have the same SKU, as pairs of id and SKU."""

    sku: str
    products: tuple[tuple[str, str], ...]


def find_changes() -> tuple[list[SkuChange], list[Collision]]:
    """The SKUs that change, and those that more than one product would have, inactive ones too."""
    products, changes = defaultdict[str, list[tuple[str, str]]](list), list[SkuChange]()
    wanted = dict.fromkeys(("sku", "version", "stock"), 1)
    for row in documents.products().find({"sku": {"$type": "string"}}, wanted).sort("_id", 1):
        product_id, old = str(row["_id"]), row["sku"]
        new = canonical_sku(old)
        if new:
            products[new].append((product_id, old))
        if new != old:
            revision = f"{row['version']}.{row['stock']}"
            changes.append(SkuChange(product_id=product_id, old=old, new=new, revision=revision))
    return changes, [Collision(sku=sku, products=tuple(found)) for sku, found in products.items() if len(found) > 1]
