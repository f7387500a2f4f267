"""The earlier prices of products in MongoDB, a document for each price. MongoDB deletes them by a TTL index."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from libs.mongo_store.connection import Bson
from libs.values.money import Money
from product_service.domain.price_history import NamedPrice
from product_service.store import documents

BATCH_SIZE = 500  # products per write


def end_price(named: NamedPrice, *, at: datetime, transaction: ClientSession) -> None:
    """Keep a price that ended at `at`."""
    documents.earlier_prices().update_one(*_upsert(named, at), upsert=True, session=transaction)


def find_ends(named: Collection[NamedPrice], *, transaction: ClientSession) -> dict[NamedPrice, datetime]:
    """The ends of those of these prices that are kept. No query for none."""
    if not named:
        return {}
    by_key = {_key(one): one for one in named}
    found = documents.earlier_prices().find({"_id": {"$in": list(by_key)}}, session=transaction)
    return {by_key[row["_id"]]: row["until"] for row in found}


def move_price_logs(currency: str) -> int:
    """Move the earlier prices that earlier versions kept in the products; return the number of products.

    `currency`: the shop's, for prices without one. It may run again at any time.
    """
    products, moved = documents.products(), 0
    while rows := list(products.find({"price_log": {"$exists": True}}, {"price_log": 1}).limit(BATCH_SIZE)):
        if ends := [end for row in rows for end in _logged_ends(row, currency)]:
            documents.earlier_prices().bulk_write(
                [UpdateOne(*_upsert(named, at), upsert=True) for named, at in ends], ordered=False
            )
        # One whose log has changed since it was read keeps it until the next round.
        emptied = [UpdateOne(row, {"$unset": {"price_log": ""}}) for row in rows]
        moved += products.bulk_write(emptied, ordered=False).modified_count
    if "price_log" in products.index_information():
        products.drop_index("price_log")
    return moved


def _logged_ends(row: Bson, currency: str) -> Iterator[tuple[NamedPrice, datetime]]:
    for entry in row["price_log"]:
        price = Money(entry["price_minor"], entry.get("currency", currency))
        yield (str(row["_id"]), price), entry["until"]


def _upsert(named: NamedPrice, at: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """The filter and the update. Writers' clocks may differ, so the later end stays."""
    return {"_id": _key(named)}, {"$max": {"until": at}}


def _key(named: NamedPrice) -> str:
    product_id, price = named
    return f"{product_id} {price.minor} {price.currency}"
