"""The JSON of products, kept by id and version: a list reads ids, versions and stocks only, and so does one product.

A version names all public data of a product but its stock, so the JSON of a version never changes. Each request reads version and
stock from the database. What the cache does not have is read whole and kept under the version *of the document that was read*. So
a process never serves what a writer has replaced, and nothing has to tell it of a change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import orjson
from bson import ObjectId

from libs.mongo_store.connection import Bson
from libs.mongo_store.ids import to_object_id
from libs.runtime.generation_cache import GenerationCache
from libs.values.times import rfc3339
from product_service.domain.errors import UnknownProduct
from product_service.domain.product import Product
from product_service.store import documents
from product_service.store.product_rows import SHOWN, from_bson

GENERATION_BYTES = 8 * 2**20  # of two generations in a process
ENTRY_BYTES = 400  # what an entry takes beside its JSON
STATE = {"version": 1, "stock": 1, "active": 1}
"""The fields of a document that StoredVersion has, beside _id."""


class StoredVersion(NamedTuple):
    """What a list reads of a product: its version, and what changes without a new version."""

    id: ObjectId
    version: int
    stock: int
    active: bool

    @classmethod
    def of(cls, row: Bson) -> Self:
        """From BSON with the fields of STATE."""
        return cls(row["_id"], row["version"], row["stock"], row["active"])


class _Parts(NamedTuple):
    """The JSON of one version, before and after the stock."""

    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class ProductState:
    """A product as clients see it. `revision` as in domain/product.py."""

    revision: str
    active: bool
    json: bytes


class ProductJson:
    """The products of one shop. A web process has one. `currency`: the shop's, for a price without one."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self._parts: GenerationCache[tuple[ObjectId, int], _Parts] = GenerationCache(
            GENERATION_BYTES, lambda parts: len(parts.before) + len(parts.after) + ENTRY_BYTES
        )

    def find(self, product_id: str) -> ProductState:
        """One product, inactive ones too. Raises UnknownProduct."""
        if (key := to_object_id(product_id)) is None:
            raise UnknownProduct
        row = documents.products().find_one({"_id": key}, STATE)
        found = row and self.complete([StoredVersion.of(row)])
        if not found:
            raise UnknownProduct
        return found[0]

    def complete(self, versions: Sequence[StoredVersion]) -> list[ProductState]:
        """The products with these versions, in order.

        Those that the cache does not have are read in one query. A product that has become active or inactive since its version
        was read is left out.
        """
        parts = [self._parts.get((one.id, one.version)) for one in versions]
        missing = [one.id for one, known in zip(versions, parts, strict=True) if known is None]
        read = self._read(missing) if missing else {}
        states = []
        for one, known in zip(versions, parts, strict=True):
            state = _state(one, known) if known else read.get(one.id)
            if state and state.active == one.active:
                states.append(state)
        return states

    def _read(self, ids: Sequence[ObjectId]) -> dict[ObjectId, ProductState]:
        found = {}
        for row in documents.products().find({"_id": {"$in": ids}}, SHOWN):
            parts = render(from_bson(row, self._currency))
            self._parts.put((row["_id"], row["version"]), parts)
            found[row["_id"]] = _state(StoredVersion.of(row), parts)
        return found


def _state(one: StoredVersion, parts: _Parts) -> ProductState:
    json = b"%b%d%b" % (parts.before, one.stock, parts.after)
    return ProductState(f"{one.version}.{one.stock}", one.active, json)


def render(product: Product) -> _Parts:
    """The JSON that `api/responses.py` makes of a product. tests/integration/test_product_json.py compares the two."""
    before = {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "description": product.description,
        "category": product.category,
        "imageUrl": product.image_url,
        "price": str(product.price),
        "currency": product.price.currency,
    }
    after = {
        "active": product.active,
        "version": product.version,
        "createdAt": rfc3339(product.created_at),
        "updatedAt": rfc3339(product.updated_at),
    }
    return _Parts(orjson.dumps(before)[:-1] + b',"stock":', b"," + orjson.dumps(after)[1:])
