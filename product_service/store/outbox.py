"""The one door to Kafka: an event is a row, stored in the transaction of the change it tells of."""

from pymongo.client_session import ClientSession

from libs.messaging.envelope import OutboxRow, new_row
from libs.mongo_store.outbox import MongoOutbox
from product_service.events.published import ProductSnapshot, StockAnswer
from product_service.store.documents import Product, RawProduct

SOURCE = "product_service"


def store_event(event: ProductSnapshot, product: RawProduct, session: ClientSession) -> None:
    """Add `event` for `product`, whose `sequence` was raised in this very transaction."""
    row = new_row(event, source=SOURCE, aggregate_id=str(product["_id"]), sequence=product["sequence"])
    MongoOutbox(Product._get_db()).add(row, session)


def answer_row(answer: StockAnswer) -> OutboxRow:
    """The row of an order's one answer; the reservation keeps it, so that it can be sent again as it was."""
    return new_row(answer, source=SOURCE, aggregate_id=answer.order_id, sequence=1)


def store_answer(row: OutboxRow, session: ClientSession) -> None:
    """Add an answer, for the first time or again. Raises DuplicateKeyError while it is still there."""
    MongoOutbox(Product._get_db()).add(row, session)
