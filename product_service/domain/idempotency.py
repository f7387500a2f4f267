"""A request that is sent with an Idempotency-Key, and the response to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import orjson

KEY_RETENTION = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentRequest:
    """A user's request with its key. `route`: method and path, with names for the values in the path. `body` holds JSON types.

    The values in the path are part of the body.
    """

    user_id: str
    route: str
    key: str
    body: Any

    @property
    def body_hash(self) -> str:
        """SHA-256 in hex, the same for bodies that differ in the order of their names only."""
        return sha256(orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """A response, as it is sent each time."""

    status: int
    body: str  # JSON
    headers: Mapping[str, str]
