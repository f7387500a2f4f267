"""Reads of sessions."""

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from libs.values.pages import Page, PageRequest, build_page
from libs.values.times import now, rfc3339
from user_service.store.documents import sessions


def to_session(row: Mapping[str, Any], current: str | None) -> dict[str, Any]:
    """A session as its owner sees it; `current` is the sid of the one that asks."""
    return {
        "id": row["_id"],
        "current": row["_id"] == current,
        "address": row["address"],
        "agent": row["agent"],
        "createdAt": rfc3339(row["created_at"]),
        "refreshedAt": rfc3339(row["refreshed_at"]),
        "expiresAt": rfc3339(row["expires_at"]),
    }


def list_sessions(request: PageRequest, *, user_id: str, current: str | None) -> Page[dict[str, Any]]:
    """The sessions of an account, newest first."""
    where: dict[str, Any] = {"user_id": ObjectId(user_id), "expires_at": {"$gt": now()}}
    if request.position:
        where["_id"] = {"$gt" if request.backwards else "$lt": request.position[0]}
    rows = sessions().find(where).sort("_id", 1 if request.backwards else -1).limit(request.limit + 1)
    return build_page(request, [to_session(row, current) for row in rows], lambda session: (session["id"],))
