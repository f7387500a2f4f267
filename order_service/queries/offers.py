"""What product_service sells now. It is asked once for an order that differs from the replica of the catalogue.

The call is bounded: CALL_SECONDS in all, MAX_CONCURRENT calls of a process, and none while the breaker is open.
"""

import re
import threading
import time
from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, ValidationError

from libs.runtime.call_breaker import CallBreaker
from libs.runtime.http_client import NoResponse, call, deadline
from libs.runtime.logs import get_logger
from order_service.domain.pricing import CatalogueProduct
from order_service.events.consumed import ProductSnapshot

log = get_logger(__name__)

CALL_SECONDS = 0.3
MAX_CONCURRENT = 2  # threads of a process that may wait; it has eight
PRODUCT_ID = re.compile(r"[0-9a-f]{24}")


class Offers(BaseModel):
    """The response of product_service."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)
    results: list[ProductSnapshot]


class OfferReader:
    """Asks product_service. One per process."""

    def __init__(self, address: Callable[[], str]) -> None:
        """`address`: returns the URL of product_service."""
        self._address, self._breaker = address, CallBreaker()
        self._slots = threading.BoundedSemaphore(MAX_CONCURRENT)

    def read(self, product_ids: Collection[str]) -> Mapping[str, CatalogueProduct] | None:
        """The products on sale among these, by id, in one call. None: product_service gave no answer in time."""
        until = deadline(CALL_SECONDS)
        wanted = sorted(product_id for product_id in product_ids if PRODUCT_ID.fullmatch(product_id))
        if not wanted:  # product_service has no other ids
            return {}
        if not self._slots.acquire(timeout=CALL_SECONDS):
            log.warning("product_service not asked: all slots in use", slots=MAX_CONCURRENT)
            return None
        try:
            if until <= time.monotonic() or not self._breaker.allows():
                return None
            found = self._call(wanted, until)
            self._breaker.report(success=found is not None)
            return found
        finally:
            self._slots.release()

    def _call(self, wanted: Collection[str], until: float) -> Mapping[str, CatalogueProduct] | None:
        try:
            status, body = call(
                self._address(), "GET", f"/products/offers?{urlencode({'ids': ','.join(wanted)})}", until=until
            )
            if status != 200:
                log.warning("product_service refuses to say what it sells", status=status)
                return None
            return {row.id: row.to_product() for row in Offers.model_validate(body).results}
        except NoResponse:
            return None
        except ValidationError as error:
            log.warning("response of product_service not readable", errors=error.error_count())
            return None
