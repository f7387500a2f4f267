"""What MongoDB examines for a query, by its profiler."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from pymongo.database import Database

T = TypeVar("T")


def examined(db: Database[dict[str, Any]], collection: str, act: Callable[[], T]) -> tuple[T, int, int]:
    """The result of `act`, and how many keys and documents of the collection MongoDB examines for it. The profile is on."""
    since = db.client.admin.command("hello")["localTime"]
    time.sleep(0.002)  # the profile has milliseconds
    result = act()
    rows = list(db["system.profile"].find({"ts": {"$gt": since}, "ns": f"{db.name}.{collection}"}))
    assert rows
    return result, sum(row.get("keysExamined", 0) for row in rows), sum(row.get("docsExamined", 0) for row in rows)
