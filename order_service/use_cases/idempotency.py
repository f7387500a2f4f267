"""One change per Idempotency-Key, however often and however fast a client sends the request.

The key's row is the first of the change's transaction and holds the response: both are stored, or neither. A second request finds
the row and gets the same response, or finds the row locked and gets 409 at once. Any response but 2xx rolls the row back.
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
    """A user's request with its key. `body` holds JSON types.

    `route`: method and path, with names for the values in the path. `order_id`: the order that the path names. It counts as part of
    the body.
    """

    user_id: str
    route: str
    key: str
    body: Any
    order_id: str | None = None

    @property
    def body_hash(self) -> str:
        """SHA-256 in hex, the same for bodies that differ in the order of their names only."""
        body = self.body if self.order_id is None else {"orderId": self.order_id, "body": self.body}
        return sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def respond_once(request: IdempotentRequest, work: Callable[[], JsonObject]) -> JsonObject:
    """The response that `work` returns, stored in the transaction of its changes; or the response to an earlier request.

    Raises KeyReused, KeyInFlight, and what `work` raises.
    """
    if known := idempotency_keys.find(request.user_id, request.route, request.key):
        return _response(known, request)
    try:
        with transaction.atomic():
            claimed = idempotency_keys.claim(
                user_id=request.user_id,
                route=request.route,
                key=request.key,
                body_hash=request.body_hash,
                order_id=request.order_id,
            )
            response = work()
            idempotency_keys.save_response(claimed, orjson.dumps(response).decode())
    except IntegrityError:  # another request was stored since `find`
        if known := idempotency_keys.find(request.user_id, request.route, request.key):
            return _response(known, request)
        raise
    return response


def _response(known: IdempotencyKey, request: IdempotentRequest) -> JsonObject:
    if known.body_hash != request.body_hash:
        raise KeyReused
    response: JsonObject = orjson.loads(known.response)
    return response
