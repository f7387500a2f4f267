"""One change per Idempotency-Key, however often and however fast a client sends the request.

The key's row is the first of the change's transaction and holds the response: both are stored, or neither. A second request finds
the row and gets the same response, or finds the row locked and gets 409 at once. Any response but 2xx rolls the row back.
After draft-ietf-httpapi-idempotency-key-header, "Idempotency Enforcement Scenarios".
"""

from collections.abc import Callable

import orjson
from django.db import IntegrityError, transaction

from libs.values.idempotency import IdempotentRequest, KeyReused
from order_service.store import idempotency_keys
from order_service.store.models import IdempotencyKey

JsonObject = dict[str, object]


def respond_once(
    request: IdempotentRequest, work: Callable[[], JsonObject], *, order_id: str | None = None
) -> JsonObject:
    """The response that `work` returns, stored in the transaction of its changes; or the response to an earlier request.

    `order_id`: of the order that the path names. Raises KeyReused, KeyInFlight, and what `work` raises.
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
                order_id=order_id,
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
