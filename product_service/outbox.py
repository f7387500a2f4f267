"""The one door to Kafka: an event is a row, stored in the transaction of the change it tells of."""

from pymongo.client_session import ClientSession

from chassis.envelope import new_row
from chassis.mongo import MongoOutbox
from product_service.events import ProductSnapshot
from product_service.models import Product, RawProduct


def store_event(event: ProductSnapshot, product: RawProduct, session: ClientSession) -> None:
    """Add `event` for `product`, whose `sequence` was raised in this very transaction."""
    row = new_row(event, source="product_service", aggregate_id=str(product["_id"]), sequence=product["sequence"])
    MongoOutbox(Product._get_db()).add(row, session)
