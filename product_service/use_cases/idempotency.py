"""One change per Idempotency-Key, however often and however fast a client sends the request.

The key's document is the first write of the change's transaction and holds the response: both are stored, or neither. A second
request finds the document and gets the same response. While the first is being processed, the second gets 409 at once. A refusal
is not stored. After draft-ietf-httpapi-idempotency-key-header, "Idempotency Enforcement Scenarios".
"""

from collections.abc import Callable

from pymongo.client_session import ClientSession

from libs.values.idempotency import IdempotentRequest, KeyInFlight, KeyReused
from product_service.domain.idempotency import StoredResponse
from product_service.store import idempotency_keys

Work = Callable[[ClientSession | None], StoredResponse]


def respond_once(request: IdempotentRequest, work: Work) -> StoredResponse:
    """The response that `work` returns, stored in the transaction of its changes; or the response to an earlier request.

    Raises KeyReused, KeyInFlight, and what `work` raises.
    """
    if known := _find(request):
        return known
    try:
        return idempotency_keys.transact(request, work)
    except idempotency_keys.KeyTaken:
        if known := _find(request):
            return known
        raise KeyInFlight from None


def _find(request: IdempotentRequest) -> StoredResponse | None:
    found = idempotency_keys.find(request)
    if found is None:
        return None
    body_hash, response = found
    if body_hash != request.body_hash:
        raise KeyReused
    return response
