"""The documents: their fields, limits and indexes. E-mail address and username are unique without regard to case, by index."""

from typing import Any

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    Document,
    IntField,
    ListField,
    LongField,
    ObjectIdField,
    StringField,
)

from libs.access.caller import ROLES
from user_service.domain.account_change import CHANGE_RETENTION, Action
from user_service.domain.user import MAX_EMAIL_CHARACTERS


class User(Document):  # type: ignore[misc] # MongoEngine has no types
    """An account. Optional fields without a value are not stored, so the unique indexes have no entry for an erased account."""

    username = StringField(required=True, max_length=30)
    username_key = StringField(max_length=30)
    email = StringField(max_length=MAX_EMAIL_CHARACTERS)
    email_key = StringField()
    password_hash = StringField()
    roles = ListField(StringField(choices=ROLES))
    active = BooleanField(required=True)
    email_verified = BooleanField(required=True)
    totp_secret = StringField()  # of the confirmed authenticator
    totp_offered = StringField()  # of an authenticator that is not confirmed
    totp_offer_expires_at = DateTimeField()
    totp_approved_until = DateTimeField()  # until then one authenticator may be added, where STAFF_TOTP=required
    totp_step = IntField()  # of the last code that was used, so that no code works twice
    recovery_hashes = ListField(StringField())
    known_addresses = ListField(StringField())  # hashes of the client addresses of registration and logins
    sequence = IntField(required=True)  # the number of the account's events
    created_at = DateTimeField(required=True)
    updated_at = DateTimeField(required=True)
    logged_in_at = DateTimeField()  # only written: a login conflicts by it with a change of the account
    deleted_at = DateTimeField()

    meta = {
        "collection": "users",
        "auto_create_index": False,  # the command `indexes` creates them, a request never does
        "indexes": [
            {"fields": ["username_key"], "unique": True, "sparse": True, "name": "username_key"},
            {"fields": ["email_key"], "unique": True, "sparse": True, "name": "email_key"},
            {"fields": ["roles", "-_id"], "name": "roles"},
            {"fields": ["active", "-_id"], "name": "active"},
        ],
    }


class Session(Document):  # type: ignore[misc] # MongoEngine has no types
    """A session. Its end deletes the document."""

    id = StringField(primary_key=True)  # the `sid` of its tokens
    user_id = ObjectIdField(required=True)
    rotation = IntField(required=True, db_field="number")  # of the refresh token that works
    used = ListField(DictField())  # the last uses of refresh tokens: {number, at}
    created_at = DateTimeField(required=True)
    refreshed_at = DateTimeField(required=True)
    issued_at = LongField()  # of the newest access token: ms since the epoch, by the clock of the host that issued it
    renewed_at = DateTimeField()  # only written: a change of the account conflicts by it with a refresh
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
    """A token for a link in a mail. Its use deletes the document."""

    id = StringField(primary_key=True)  # the hash of the token's text
    kind = StringField(required=True, choices=("reset", "verify"))
    user_id = ObjectIdField(required=True)
    email_key = StringField(required=True)
    expires_at = DateTimeField(required=True)
    reissue_of = StringField()  # the id of the event whose mail was dead-lettered

    meta = {
        "collection": "mail_tokens",
        "auto_create_index": False,
        "indexes": [
            {"fields": ["user_id", "kind"], "name": "of_user"},
            {"fields": ["reissue_of"], "unique": True, "sparse": True, "name": "reissue_of"},
            {"fields": ["expires_at"], "name": "expired", "expireAfterSeconds": 0},
        ],
    }


class AccountChange(Document):  # type: ignore[misc] # MongoEngine has no types
    """One change of an account by staff. It outlives the account."""

    id = StringField(primary_key=True)  # a ULID
    user_id = ObjectIdField(required=True)
    at = DateTimeField(required=True)
    actor = StringField(required=True)  # the id of the member of staff, or `command`
    action = StringField(required=True, choices=[action.value for action in Action])
    changes = DictField()  # {field: [before, after]}, by the names that clients see

    meta = {
        "collection": "account_changes",
        "auto_create_index": False,
        "indexes": [
            {"fields": ["user_id", "-_id"], "name": "of_user"},
            {"fields": ["at"], "name": "old", "expireAfterSeconds": int(CHANGE_RETENTION.total_seconds())},
        ],
    }


class ExportLease(Document):  # type: ignore[misc] # MongoEngine has no types
    """The right to export an account. Its id is that of the account, so there is one at a time."""

    owner = StringField(required=True)
    expires_at = DateTimeField(required=True)

    meta = {
        "collection": "export_leases",
        "auto_create_index": False,
        "indexes": [{"fields": ["expires_at"], "name": "expired", "expireAfterSeconds": 0}],
    }


def users() -> Any:
    """The PyMongo collection: MongoEngine 0.29 has no transactions, and its reads are slower."""
    return User._get_collection()


def sessions() -> Any:
    """The PyMongo collection."""
    return Session._get_collection()


def mail_tokens() -> Any:
    """The PyMongo collection."""
    return MailToken._get_collection()


def account_changes() -> Any:
    """The PyMongo collection."""
    return AccountChange._get_collection()


def export_leases() -> Any:
    """The PyMongo collection."""
    return ExportLease._get_collection()
