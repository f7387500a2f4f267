"""The one door to Kafka: an event is a row, stored in the transaction of the change it tells of."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pymongo.client_session import ClientSession

from chassis.envelope import OutboxRow, new_row
from chassis.mongo import MongoOutbox
from product_service.events import ProductSnapshot, StockAnswer
from product_service.models import Product, RawProduct, now

SOURCE = "product_service"


def store_event(event: ProductSnapshot, product: RawProduct, session: ClientSession) -> None:
    """Add `event` for `product`, whose `sequence` was raised in this very transaction."""
    row = new_row(event, source=SOURCE, aggregate_id=str(product["_id"]), sequence=product["sequence"])
    MongoOutbox(Product._get_db()).add(row, session)


def store_answer(answer: StockAnswer, session: ClientSession) -> dict[str, Any]:
    """Add an order's one answer, and return the row as the reservation keeps it for `store_answer_again`."""
    row = new_row(answer, source=SOURCE, aggregate_id=answer.order_id, sequence=1)
    MongoOutbox(Product._get_db()).add(row, session)
    return asdict(row)


def store_answer_again(answer: Mapping[str, Any], session: ClientSession) -> None:
    """Add the very row of before: same event id, sequence and payload. Raises DuplicateKeyError while it is still there."""
    row = OutboxRow(**{**answer, "created_at": now()})
    MongoOutbox(Product._get_db()).add(row, session)
