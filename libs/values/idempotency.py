"""Requests with an Idempotency-Key: the header, what makes two requests the same, and the refusals.

After draft-ietf-httpapi-idempotency-key-header. Each service stores its own keys and responses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any

import orjson
from pydantic import Field

from libs.values.errors import DomainError, ErrorKind
from libs.values.schema import StrictQuery, validated
from libs.values.text import Matching

HEADER = "Idempotency-Key"
KEY_RETENTION = timedelta(hours=24)


class IdempotencyHeaders(StrictQuery):
    """The headers of a request that may have a key."""

    idempotency_key: (
        Annotated[str, Matching(r"^[ -~]{1,128}$", "invalid-key", "Enter 1 to 128 printable ASCII characters")] | None
    ) = Field(
        None,
        alias=HEADER,
        description="One change for one key, however often it is sent: the first 2xx is answered again for 24 hours.",
    )


class KeyReused(DomainError):
    kind, code, title = ErrorKind.IMPOSSIBLE, "idempotency-key-reused", "The Idempotency-Key belongs to another body"


class KeyInFlight(DomainError):
    """The first request with the key is still being processed."""

    kind, code = ErrorKind.CONFLICT, "idempotency-key-in-flight"
    title = "A request with this Idempotency-Key is being processed"


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


def key_of(headers: Mapping[str, str]) -> str | None:
    """The key in the headers of a request. Raises Invalid."""
    key = headers.get(HEADER)
    return validated(IdempotencyHeaders, {} if key is None else {HEADER: key}).idempotency_key
