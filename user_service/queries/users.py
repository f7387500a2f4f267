"""Reads of accounts."""

import re
from collections.abc import Sequence

from bson import ObjectId

from libs.access.caller import Caller
from libs.values.email_address import email_key
from libs.values.errors import Invalid
from libs.values.pages import Page, PageRequest, build_page
from user_service.domain.user import User, username_key
from user_service.store import documents, users
from user_service.store.user_rows import from_bson

Where = dict[str, object]  # a filter of MongoDB


def get_user(user_id: str) -> User:
    """One account. Raises UnknownUser, also for a deleted one."""
    return users.find(user_id)


def get_own_account(*, caller: Caller) -> User:
    """The caller's account. Raises NotAuthenticated when it is disabled or deleted."""
    return users.own_account(caller)


def list_users(request: PageRequest, *, search: str | None, role: str | None, active: bool | None) -> Page[User]:
    """A page of User, newest first. `search` is the beginning of a username or an address.

    A search that few accounts match finds all of them. Otherwise a page examines `request.bound` accounts, and leads on when it
    found too few. Raises Invalid for a cursor without an id.
    """
    direction = 1 if request.backwards else -1
    where: Where = {"roles": role} if role else {"active": active} if active is not None else {}
    index = "roles" if role else "active" if where else "_id_"
    if request.position:
        if not ObjectId.is_valid(request.position[0]):
            raise Invalid.field("cursor", "invalid-cursor", "The cursor can't be read")
        where["_id"] = {"$gt" if request.backwards else "$lt": ObjectId(request.position[0])}
    rest: Where = {"deleted_at": None} | ({"active": active} if active is not None else {})
    if search:
        keys = {"username_key": username_key(search), "email_key": email_key(search)}
        begins: list[Where] = [{name: {"$regex": "^" + re.escape(key)}} for name, key in keys.items()]
        rest["$or"] = begins
        if (ids := _few(begins, request.bound)) is not None:
            where, index = {"$and": [where, {"_id": {"$in": ids}}]}, "_id_"
    steps: list[dict[str, object]] = [{"$match": where}, {"$sort": {"_id": direction}}, {"$limit": request.bound}]
    rows = list(documents.users().aggregate([*steps, {"$match": rest}, {"$limit": request.limit + 1}], hint=index))
    resume = None
    if len(rows) <= request.limit:
        ends = documents.users().find(where, {"_id": 1}).hint(index).sort("_id", direction)
        resume = next(((str(row["_id"]),) for row in ends.skip(request.bound - 1).limit(1)), None)
    return build_page(request, [from_bson(row) for row in rows], lambda user: (user.id,), resume=resume)


def _few(alternatives: Sequence[Where], bound: int) -> list[ObjectId] | None:
    """The ids of the accounts that one of these conditions matches, by the index of its field. None: there are too many."""
    found: set[ObjectId] = set()
    for where in alternatives:
        rows = documents.users().find(where, {"_id": 1}).hint(next(iter(where))).limit(bound + 1)
        found |= {row["_id"] for row in rows}
        if len(found) > bound:
            return None
    return list(found)
