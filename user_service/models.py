"""The user document and its invariants: e-mail and username are unique without regard to case, by index."""

from datetime import UTC, datetime
from typing import Any

from mongoengine import BooleanField, DateTimeField, Document, EmailField, IntField, ListField, StringField

from chassis.auth import ROLES
from messaging.mongo import Db, MongoOutbox


def now() -> datetime:
    """The present, in the milliseconds that MongoDB keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def fold(text: str) -> str:
    """The form in which e-mails and usernames are compared."""
    return text.casefold()


class User(Document):  # type: ignore[misc] # MongoEngine has no types
    """An account. A deleted one keeps its id and loses the rest; without `*_key` it leaves the unique indexes."""

    username = StringField(required=True, max_length=30)
    username_key = StringField()
    email = EmailField()
    email_key = StringField()
    password_hash = StringField()
    roles = ListField(StringField(choices=ROLES))
    active = BooleanField(required=True, default=True)
    email_verified = BooleanField(required=True, default=False)
    sequence = IntField(required=True, default=1)  # the account's event counter
    created_at = DateTimeField(required=True, default=now)
    updated_at = DateTimeField(required=True, default=now)
    deleted_at = DateTimeField()

    meta = {
        "collection": "users",
        "auto_create_index": False,  # the `indexes` command does it, never a request
        "indexes": [
            {"fields": ["username_key"], "unique": True, "sparse": True, "name": "username_key"},
            {"fields": ["email_key"], "unique": True, "sparse": True, "name": "email_key"},
            {"fields": ["roles", "-_id"], "name": "roles"},
        ],
    }


def users() -> Any:
    """The PyMongo collection: for transactions, which MongoEngine 0.29 has not, and for quick reads."""
    return User._get_collection()


def ensure_indexes() -> None:
    """Create what the database needs, before the first transaction."""
    db: Db = User._get_db()
    User.ensure_indexes()
    MongoOutbox(db).ensure_indexes()
