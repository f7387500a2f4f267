"""Reads, as plain dicts: what goes out is built here and nowhere else."""

import re
from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from libs.values.errors import Invalid
from libs.values.pages import Page, PageRequest, build_page
from libs.values.times import rfc3339
from user_service.domain.errors import UnknownUser
from user_service.domain.user import fold
from user_service.store.documents import users

FIELDS = {"username", "email", "roles", "active", "email_verified", "created_at", "updated_at"}


def to_public(user: Mapping[str, Any]) -> dict[str, Any]:
    """A user as clients see it, from a user as MongoDB holds it."""
    return {
        "id": str(user["_id"]),
        "username": user["username"],
        "email": user["email"],
        "roles": user["roles"],
        "active": user["active"],
        "emailVerified": user["email_verified"],
        "createdAt": rfc3339(user["created_at"]),
        "updatedAt": rfc3339(user["updated_at"]),
    }


def get_user(user_id: str) -> dict[str, Any]:
    """One user. Raises UnknownUser, also for a deleted one."""
    found = ObjectId.is_valid(user_id) and users().find_one({"_id": ObjectId(user_id), "deleted_at": None}, FIELDS)
    if not found:
        raise UnknownUser
    return to_public(found)


def list_users(request: PageRequest, *, search: str | None, role: str | None, active: bool | None) -> Page[dict[str, Any]]:
    """Users, newest first; `search` is the beginning of a username or an e-mail address, which an index serves."""
    where: dict[str, Any] = {"deleted_at": None}
    if search:
        beginning = {"$regex": "^" + re.escape(fold(search))}
        where["$or"] = [{"username_key": beginning}, {"email_key": beginning}]
    if role:
        where["roles"] = role
    if active is not None:
        where["active"] = active
    if request.position:
        if not ObjectId.is_valid(request.position[0]):
            raise Invalid.field("cursor", "invalid-cursor", "The cursor can't be read")
        where["_id"] = {"$gt" if request.backwards else "$lt": ObjectId(request.position[0])}
    rows = users().find(where, FIELDS).sort("_id", 1 if request.backwards else -1).limit(request.limit + 1)
    return build_page(request, [to_public(row) for row in rows], lambda user: (user["id"],))
