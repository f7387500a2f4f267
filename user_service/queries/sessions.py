"""Reads of sessions."""

from bson import ObjectId

from libs.values.pages import Page, PageRequest, build_page
from user_service.domain.session import Session
from user_service.store import documents, sessions
from user_service.store.clock import now


def list_sessions(request: PageRequest, *, user_id: str) -> Page[Session]:
    """A page of an account's Session, newest first, without those that have expired."""
    where: dict[str, object] = {"user_id": ObjectId(user_id), "expires_at": {"$gt": now()}}
    if request.position:
        where["_id"] = {"$gt" if request.backwards else "$lt": request.position[0]}
    rows = documents.sessions().find(where).sort("_id", 1 if request.backwards else -1).limit(request.limit + 1)
    return build_page(request, [sessions.from_bson(row) for row in rows], lambda session: (session.id,))
