"""What happens to products. Every change, its stock movement and its event are one transaction; no request talks to Kafka."""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from libs.mongo_store.transactions import in_transaction
from libs.values.times import now
from product_service.domain.errors import SkuTaken, StaleProduct, StockOutOfRange, UnknownProduct
from product_service.domain.price_history import log_price
from product_service.domain.product import fold
from product_service.events.published import ProductCreated, ProductDeleted, ProductUpdated
from product_service.store.documents import MAX_STOCK, Product, RawProduct, StockMovement, etag_of, movements, products
from product_service.store.outbox import store_event

T = TypeVar("T")


def create_product(
    *,
    name: str,
    price_minor: int,
    stock: int,
    description: str = "",
    sku: str | None = None,
    category: str | None = None,
    image_url: str | None = None,
    currency: str,
    actor: str,
) -> RawProduct:
    """Add a product to the catalogue; `price_minor` in minor units of `currency`. Raises SkuTaken."""
    product: RawProduct = Product(
        id=ObjectId(),
        name=name,
        name_key=fold(name),
        description=description,
        sku=sku,
        category=category,
        image_url=image_url,
        price_minor=price_minor,
        stock=stock,
    ).to_mongo()

    def work(session: ClientSession) -> RawProduct:
        products().insert_one(product, session=session)
        _record_movement(product["_id"], stock, "initial stock", actor, session)
        store_event(ProductCreated.of(product, currency), product, session)
        return product

    return _run(work)


def change_product(
    *,
    product_id: str,
    changes: Mapping[str, Any],
    if_match: Collection[str] | None,
    currency: str,
    actor: str,
    price_memory: timedelta,
) -> RawProduct:
    """Set the fields in `changes` (named as in the document) and return the product; what changes nothing is no change.

    `active: False` takes it out of the catalogue: it stays, inactive, for orders and movements still name it.
    `if_match` are the ETags of which the client takes one for the present one; None: whichever it is.
    `price_memory`: how long an earlier price is kept. Raises UnknownProduct, StaleProduct, SkuTaken.
    """
    key = _object_id(product_id)

    def work(session: ClientSession) -> RawProduct:
        found: RawProduct | None = products().find_one({"_id": key}, session=session)
        if found is None:
            raise UnknownProduct
        if if_match is not None and not _is_current(found, if_match, sets_stock="stock" in changes):
            raise StaleProduct
        catalogue = {name: value for name, value in changes.items() if name != "stock" and found.get(name) != value}
        delta = changes.get("stock", found["stock"]) - found["stock"]
        if not catalogue:
            return _move_stock(found, delta, "set by staff", actor, session) if delta else found
        if "price_minor" in catalogue:
            catalogue["price_log"] = log_price(found, price_memory)
        return _change_catalogue(found, catalogue, delta, currency, actor, session)

    return _run(work)


def adjust_stock(*, product_id: str, delta: int, reason: str, actor: str) -> RawProduct:
    """Add `delta` pieces (or take, when negative) and return the product. Raises UnknownProduct, StockOutOfRange."""
    key = _object_id(product_id)

    def work(session: ClientSession) -> RawProduct:
        return _move_stock({"_id": key}, delta, reason, actor, session)

    return _run(work)


def _change_catalogue(
    found: RawProduct, catalogue: RawProduct, delta: int, currency: str, actor: str, session: ClientSession
) -> RawProduct:
    """A catalogue change, with or without a new stock: version and event counter rise in the same statement."""
    if "name" in catalogue:
        catalogue["name_key"] = fold(catalogue["name"])
    changed: RawProduct = products().find_one_and_update(
        {"_id": found["_id"], "version": found["version"], "stock": found["stock"]},
        {"$set": {"updated_at": now(), **catalogue}, "$inc": {"version": 1, "sequence": 1, "stock": delta}},
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    _record_movement(changed["_id"], delta, "set by staff", actor, session)
    event = ProductDeleted if catalogue.get("active") is False else ProductUpdated
    store_event(event.of(changed, currency), changed, session)
    return changed


def _move_stock(which: RawProduct, delta: int, reason: str, actor: str, session: ClientSession) -> RawProduct:
    """Change the stock where the result stays in range; stock alone is no catalogue change and publishes nothing."""
    enough = {"_id": which["_id"], "stock": {"$gte": -delta, "$lte": MAX_STOCK - delta}}
    changed: RawProduct | None = products().find_one_and_update(
        enough, {"$inc": {"stock": delta}}, return_document=ReturnDocument.AFTER, session=session
    )
    if changed is None:
        if not products().find_one({"_id": which["_id"]}, {"_id": 1}, session=session):
            raise UnknownProduct
        raise StockOutOfRange
    _record_movement(changed["_id"], delta, reason, actor, session)
    return changed


def _record_movement(product_id: ObjectId, delta: int, reason: str, actor: str, session: ClientSession) -> None:
    if delta:
        movement = StockMovement(product=product_id, delta=delta, reason=reason, actor=actor)
        movements().insert_one(movement.to_mongo(), session=session)


def _is_current(product: RawProduct, tags: Collection[str], *, sets_stock: bool) -> bool:
    """Reservations move the stock all the time: only who sets it must have seen the present one."""
    if sets_stock:
        return etag_of(product) in tags
    return str(product["version"]) in {tag.partition(".")[0] for tag in tags}


def _run(work: Callable[[ClientSession], T]) -> T:
    try:
        return in_transaction(Product._get_db(), work)
    except DuplicateKeyError as error:
        if "sku" not in (error.details or {}).get("keyPattern", {}):
            raise  # an event number given twice: a bug, and none of the client's making
        raise SkuTaken from None


def _object_id(product_id: str) -> ObjectId:
    if not ObjectId.is_valid(product_id):
        raise UnknownProduct
    return ObjectId(product_id)
