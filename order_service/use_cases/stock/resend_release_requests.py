"""Resend the cancellations that product_service has not replied to, unchanged and under their own event ids.

An event may be lost: a dead letter, a broker's lost data. Its order would then hold stock for ever. product_service releases the
stock of an order once, and replies to each repetition.
"""

from libs.runtime.logs import get_logger
from order_service.store.requests import release_requests

log = get_logger(__name__)

BATCH_SIZE = 10  # requests per call, one call a second, as for reservation requests


def resend_release_requests() -> int:
    """Put the requests that are due into the outbox; return how many."""
    resent = release_requests.resend_due(BATCH_SIZE)
    for request in resent:
        log.info(
            "cancellation resent", order=request.aggregate_id, event_id=request.event_id, resends=request.resends + 1
        )
    return len(resent)
