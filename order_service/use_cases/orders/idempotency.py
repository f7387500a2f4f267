"""One change per Idempotency-Key, however often and however fast a client sends the request.

The key's row is the first of the change's transaction and holds the response: both are stored, or neither. A second request finds
the row and gets the same response, or finds the row locked and gets 409 at once. Any response but 2xx rolls the row back.
After draft-ietf-httpapi-idempotency-key-header, "Idempotency Enforcement Scenarios".
"""

from collections.abc import Callable

import orjson
from django.db import IntegrityError, transaction

from libs.values.idempotency import IdempotentRequest, KeyInFlight, KeyReused
from order_service.store.models import IdempotencyKey
from order_service.store.order_tables import idempotency_keys

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
            claimed = _claim(request, order_id)
            response = work()
            idempotency_keys.save_response(claimed, orjson.dumps(response).decode())
    except IntegrityError:  # another request was stored since `find`
        if known := idempotency_keys.find(request.user_id, request.route, request.key):
            return _response(known, request)
        raise
    return response


def _claim(request: IdempotentRequest, order_id: str | None) -> IdempotencyKey:
    return idempotency_keys.claim(
        user_id=request.user_id, route=request.route, key=request.key, body_hash=request.body_hash, order_id=order_id
    )


def run_once(request: IdempotentRequest, work: Callable[[], JsonObject | None]) -> JsonObject:
    """As `respond_once`, for work that is no single transaction. None of `work` is an empty response, and frees the key.

    The key is stored before the work begins. When the process ends in between, the key stays taken, because the result is unknown.
    Raises KeyReused, KeyInFlight, and what `work` raises.
    """
    if known := idempotency_keys.find(request.user_id, request.route, request.key):
        return _finished(known, request)
    try:
        with transaction.atomic():
            claimed = _claim(request, None)
    except IntegrityError:  # another request was stored since `find`
        raise KeyInFlight from None
    response = None
    try:
        response = work()
        if response is not None:
            idempotency_keys.save_response(claimed, orjson.dumps(response).decode())
    finally:
        if response is None:
            claimed.delete()
    return response or {}


def _finished(known: IdempotencyKey, request: IdempotentRequest) -> JsonObject:
    if not known.response:
        raise KeyInFlight
    return _response(known, request)


def _response(known: IdempotencyKey, request: IdempotentRequest) -> JsonObject:
    if known.body_hash != request.body_hash:
        raise KeyReused
    response: JsonObject = orjson.loads(known.response)
    return response
