"""The documents and their invariants: e-mail and username are unique without regard to case, by index."""

from typing import Any

from mongoengine import (
    BooleanField,
    DateTimeField,
    Document,
    EmailField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
)

from libs.access.caller import ROLES
from libs.values.times import now


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
    totp_secret = StringField()  # of the authenticator that counts
    totp_offered = StringField()  # of one that has not shown a code yet
    totp_step = IntField()  # of the last code that was used: none works twice
    recovery_hashes = ListField(StringField())
    sequence = IntField(required=True, default=1)  # the account's event counter
    created_at = DateTimeField(required=True, default=now)
    updated_at = DateTimeField(required=True, default=now)
    logged_in_at = DateTimeField()
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


class Session(Document):  # type: ignore[misc] # MongoEngine has no types
    """All tokens that come from one login. One that ended is gone, and so is one whose time is over."""

    id = StringField(primary_key=True)  # the tokens' sid
    user_id = ObjectIdField(required=True)
    number = IntField(required=True)  # of the refresh token that works; the ones before were used
    created_at = DateTimeField(required=True)
    refreshed_at = DateTimeField(required=True)
    expires_at = DateTimeField(required=True)
    address = StringField()
    agent = StringField()

    meta = {
        "collection": "sessions",
        "auto_create_index": False,
        "indexes": [
            {"fields": ["user_id", "-_id"], "name": "of_user"},
            {"fields": ["expires_at"], "name": "expired", "expireAfterSeconds": 0},
        ],
    }


class MailToken(Document):  # type: ignore[misc] # MongoEngine has no types
    """A token that was mailed, as its hash. It works once, for the address it was mailed to."""

    id = StringField(primary_key=True)
    kind = StringField(required=True)
    user_id = ObjectIdField(required=True)
    email_key = StringField(required=True)
    expires_at = DateTimeField(required=True)

    meta = {
        "collection": "mail_tokens",
        "auto_create_index": False,
        "indexes": [
            {"fields": ["user_id", "kind"], "name": "of_user"},
            {"fields": ["expires_at"], "name": "expired", "expireAfterSeconds": 0},
        ],
    }


def users() -> Any:
    """The PyMongo collection: for transactions, which MongoEngine 0.29 has not, and for quick reads."""
    return User._get_collection()


def sessions() -> Any:
    """The PyMongo collection."""
    return Session._get_collection()


def mail_tokens() -> Any:
    """The PyMongo collection."""
    return MailToken._get_collection()
