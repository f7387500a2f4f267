"""The response to a request that is sent with an Idempotency-Key."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """A response, as it is sent each time."""

    status: int
    body: str  # JSON
    headers: Mapping[str, str]
