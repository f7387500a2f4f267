"""Reads of accounts."""

import re

from bson import ObjectId

from libs.access.caller import Caller
from libs.values.email_address import email_key
from libs.values.errors import Invalid
from libs.values.pages import Page, PageRequest, build_page
from user_service.domain.user import User, username_key
from user_service.store import documents, users
from user_service.store.user_rows import from_bson


def get_user(user_id: str) -> User:
    """One account. Raises UnknownUser, also for a deleted one."""
    return users.find(user_id)


def get_own_account(*, caller: Caller) -> User:
    """The caller's account. Raises NotAuthenticated when it is disabled or deleted."""
    return users.own_account(caller)


def list_users(request: PageRequest, *, search: str | None, role: str | None, active: bool | None) -> Page[User]:
    """A page of User, newest first. `search` is the beginning of a username or an address, which an index serves.

    Raises Invalid for a cursor without an id.
    """
    where: dict[str, object] = {"deleted_at": None}
    if search:
        keys = {"username_key": username_key(search), "email_key": email_key(search)}
        where["$or"] = [{name: {"$regex": "^" + re.escape(key)}} for name, key in keys.items()]
    if role:
        where["roles"] = role
    if active is not None:
        where["active"] = active
    if request.position:
        if not ObjectId.is_valid(request.position[0]):
            raise Invalid.field("cursor", "invalid-cursor", "The cursor can't be read")
        where["_id"] = {"$gt" if request.backwards else "$lt": ObjectId(request.position[0])}
    rows = documents.users().find(where).sort("_id", 1 if request.backwards else -1).limit(request.limit + 1)
    return build_page(request, [from_bson(row) for row in rows], lambda user: (user.id,))
