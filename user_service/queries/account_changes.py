"""Reads of what staff changed about an account."""

from bson import ObjectId

from libs.values.pages import Page, PageRequest, build_page
from user_service.domain.account_change import AccountChange
from user_service.domain.errors import UnknownUser
from user_service.store import account_changes, documents, users


def list_changes(request: PageRequest, *, user_id: str) -> Page[AccountChange]:
    """A page of the changes of an account, newest first. Raises UnknownUser. A deleted account keeps its changes."""
    user = users.find_any(user_id)
    if user is None:
        raise UnknownUser
    where: dict[str, object] = {"user_id": ObjectId(user.id)}
    if request.position:
        where["_id"] = {"$gt" if request.backwards else "$lt": request.position[0]}
    rows = documents.account_changes().find(where).sort("_id", 1 if request.backwards else -1).limit(request.limit + 1)
    return build_page(request, [account_changes.from_bson(row) for row in rows], lambda change: (change.id,))
