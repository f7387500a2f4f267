"""The routes of reservations."""

from flask import Response, request

from libs.values.pages import page_request
from libs.web.flask import Blueprint, json_response
from product_service.api import responses, schemas
from product_service.api.context import config
from product_service.domain.reservation import Status
from product_service.queries.reservations import KEY_TYPES, SORT, list_reservations

routes = Blueprint("reservations", __name__)


@routes.get("/reservations")
@routes.requires("viewer")
@routes.query(schemas.ReservationsQuery)
@routes.output(schemas.ReservationPage)
def get_reservations(query: schemas.ReservationsQuery) -> Response:
    """List what holds for the stock of each order, the newest order first. A delivered order stays reserved and has `closedAt`."""
    page = list_reservations(
        page_request(sort=SORT, key_types=KEY_TYPES, limit=query.limit, cursor=query.cursor),
        status=Status(query.state.upper()) if query.state else None,
        currency=config().shop_currency,
    )
    return json_response(responses.to_reservation_page(page, request.url))
