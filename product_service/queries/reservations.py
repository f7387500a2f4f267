"""The list of reservations."""

from dataclasses import replace

from libs.values.pages import Page, PageRequest, build_page
from product_service.domain.reservation import Reservation, Status
from product_service.store import documents
from product_service.store.reservations import from_bson

SORT = "newest"
KEY_TYPES = [str]


def list_reservations(request: PageRequest, *, status: Status | None, currency: str) -> Page[Reservation]:
    """A page of the reservations, those of the newest orders first. `status`: of all of them; None: any."""
    where: dict[str, object] = {"state": status} if status else {}
    direction, after = (1, "$gt") if request.backwards else (-1, "$lt")
    if request.position:
        where["_id"] = {after: request.position[0]}
    rows = list(documents.reservations().find(where).sort("_id", direction).limit(request.limit + 1))
    page = build_page(request, rows, lambda row: (row["_id"],))
    return replace(page, results=[from_bson(row, currency) for row in page.results])
