"""One order per Idempotency-Key, however often and however fast a client sends the request.

The key's row is the first of the order's transaction and holds the response: both are stored, or neither. A second request finds
the row and gets the same response, or finds the row locked and gets 409 at once. Any response but 201 rolls the row back.
After draft-ietf-httpapi-idempotency-key-header, "Idempotency Enforcement Scenarios".
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from django.db import IntegrityError, transaction

from order_service.domain.errors import KeyReused
from order_service.store import idempotency_keys
from order_service.store.models import IdempotencyKey

JsonObject = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentRequest:
    """A customer's request with its key. `body` holds JSON types."""

    user_id: str
    key: str
    body: Any

    @property
    def body_hash(self) -> str:
        """SHA-256 in hex, the same for bodies that differ in the order of their names only."""
        return sha256(orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def respond_once(request: IdempotentRequest, work: Callable[[], JsonObject]) -> JsonObject:
    """The response that `work` returns, stored in the transaction of its changes; or the response to an earlier request.

    Raises KeyReused, KeyInFlight, and what `work` raises.
    """
    if known := idempotency_keys.find(request.user_id, request.key):
        return _response(known, request)
    try:
        with transaction.atomic():
            claimed = idempotency_keys.claim(request.user_id, request.key, request.body_hash)
            response = work()
            idempotency_keys.save_response(claimed, orjson.dumps(response).decode())
    except IntegrityError:  # another request was stored since `find`
        if known := idempotency_keys.find(request.user_id, request.key):
            return _response(known, request)
        raise
    return response


def _response(known: IdempotencyKey, request: IdempotentRequest) -> JsonObject:
    if known.body_hash != request.body_hash:
        raise KeyReused
    response: JsonObject = orjson.loads(known.response)
    return response
