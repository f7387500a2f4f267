"""The rounds in which the reservations in force are published: one document, in collection `held_rounds`.

It holds how far the present round has come, and when the next page is due by the database's clock. The transaction of a page
changes it, so several workers publish each page once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from ulid import ULID

from libs.mongo_store.outbox import MongoOutbox
from product_service.events.published import SOURCE, StockHeld
from product_service.store import documents

ROUND_PERIOD = timedelta(days=1)
KEY: Mapping[str, Any] = {"_id": "stock-held"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A page that is due: the next one of a round, or the first one of a new round."""

    round: str
    after: str | None
    sequence: int
    as_of: datetime


def ensure() -> None:
    """Create the document. The first round is due at once."""
    begin = {"round": "", "after": None, "sequence": 0, "due_at": datetime.fromtimestamp(0, UTC)}
    documents.held_rounds().update_one(KEY, {"$setOnInsert": begin}, upsert=True)


def take_turn(transaction: ClientSession) -> Turn | None:
    """The page that is due, which the transaction has locked. None when none is."""
    row = documents.held_rounds().find_one_and_update(
        {**KEY, "$expr": {"$lte": ["$due_at", "$$NOW"]}},
        [{"$set": {"sequence": {"$add": ["$sequence", 1]}, "as_of": "$$NOW"}}],
        return_document=ReturnDocument.AFTER,
        session=transaction,
    )
    if row is None:
        return None
    round_id = row["round"] if row["after"] else str(ULID())
    return Turn(round=round_id, after=row["after"], sequence=row["sequence"], as_of=row["as_of"])


def store_page(page: StockHeld, turn: Turn, transaction: ClientSession) -> None:
    """Store the event of a page. The next page is due at once, the next round in a day."""
    pause = 0 if page.until else int(ROUND_PERIOD.total_seconds() * 1000)
    state = {"round": turn.round, "after": page.until, "due_at": {"$add": ["$$NOW", pause]}}
    documents.held_rounds().update_one(KEY, [{"$set": state}], session=transaction)
    outbox = MongoOutbox(documents.db())
    outbox.add_events([page], transaction, source=SOURCE, aggregate_id=StockHeld.topic, first_sequence=turn.sequence)


def begin_now() -> None:
    """Make a new round due at once. A round that is not complete ends there."""
    documents.held_rounds().update_one(KEY, {"$set": {"after": None, "due_at": datetime.fromtimestamp(0, UTC)}})
