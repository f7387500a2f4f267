"""The documents of user_service: an account for each customer. None has a password, so no login works."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Any

from bson import ObjectId
from pymongo.database import Database

from deploy.seeding import story
from deploy.seeding.order_tables import Done
from deploy.seeding.story import Size

CHUNK = 2000
Row = dict[str, Any]


def write(db: Database[Row], size: Size, done: Done) -> None:
    """Write the accounts; `done` gets their number."""
    numbers = iter(range(size.accounts))
    while chunk := list(islice(numbers, CHUNK)):
        db["users"].insert_many([_account(size, number) for number in chunk], ordered=False)
        done(len(chunk))


def _account(size: Size, number: int) -> Row:
    name, email = story.customer_name(number), story.customer_email(number)
    at = datetime.fromtimestamp(int(story.registered_at(size, number)), UTC)
    return {
        "_id": ObjectId(story.customer_id(size, number)),
        "username": name,
        "username_key": name,
        "email": email,
        "email_key": email,
        "roles": [],
        "active": number % 211 != 7,
        "email_verified": True,
        "sequence": 1,
        "created_at": at,
        "updated_at": at,
    }
