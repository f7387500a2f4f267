"""The conversion between an account and its document, and what an update of the document sets and guards on."""

from collections.abc import Sequence
from typing import Any

from bson import ObjectId

from libs.mongo_store.connection import Bson
from libs.mongo_store.validation import validate_changes
from libs.values.email_address import EmailAddress
from user_service.domain.second_factor import SecondFactor
from user_service.domain.user import User, username_key
from user_service.store import documents

EMPTY: tuple[object, ...] = (None, "", [])
"""Values that a document leaves out."""


def to_bson(user: User) -> dict[str, Any]:
    """The document of an account. Fields without a value are left out."""
    factor = user.second_factor
    fields = {
        "username": user.username,
        "username_key": None if user.deleted_at else username_key(user.username),
        "email": user.email.text,
        "email_key": user.email.key,
        "password_hash": user.password_hash,
        "active": user.active,
        "email_verified": user.email_verified,
        "totp_secret": factor.secret if factor else None,
        "totp_offered": user.offered_secret,
        "totp_offer_expires_at": user.offer_expires_at,
        "totp_approved_until": user.approved_until,
        "totp_step": factor.last_step if factor else None,
        "recovery_hashes": list(factor.recovery_hashes) if factor else [],
        "known_addresses": list(user.known_addresses),
        "sequence": user.version,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "deleted_at": user.deleted_at,
    }
    stored = {name: value for name, value in fields.items() if value not in EMPTY}
    return {"_id": ObjectId(user.id), "roles": list(user.roles), **stored}


def from_bson(row: Bson) -> User:
    """The account of a document."""
    return User(
        id=str(row["_id"]),
        username=row["username"],
        email=EmailAddress(row.get("email") or "", row.get("email_key") or ""),
        password_hash=row.get("password_hash") or "",
        roles=tuple(row["roles"]),
        active=row["active"],
        email_verified=row["email_verified"],
        second_factor=_second_factor(row),
        offered_secret=row.get("totp_offered"),
        offer_expires_at=row.get("totp_offer_expires_at"),
        approved_until=row.get("totp_approved_until"),
        known_addresses=tuple(row.get("known_addresses", ())),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deleted_at=row.get("deleted_at"),
        version=row["sequence"],
    )


def _second_factor(row: Bson) -> SecondFactor | None:
    if secret := row.get("totp_secret"):
        hashes = tuple(row.get("recovery_hashes", ()))
        return SecondFactor(secret=secret, last_step=row["totp_step"], recovery_hashes=hashes)
    return None


def difference(before: User, after: User) -> dict[str, dict[str, object]]:
    """The update that makes the document of `before` the one of `after`."""
    old, new = to_bson(before), to_bson(after)
    changed = {name: value for name, value in new.items() if old.get(name) != value}
    removed = old.keys() - new.keys()
    validate_changes(documents.User, changed, removed)
    parts = {"$set": changed, "$unset": dict.fromkeys(removed, "")}
    return {operator: fields for operator, fields in parts.items() if fields}


def guard_on(before: User, names: Sequence[str]) -> dict[str, object]:
    """The condition that these fields are as they were read. A field without a value may be missing, null or empty."""
    row = to_bson(before)
    return {name: row.get(name, {"$in": [*EMPTY]}) for name in names}
