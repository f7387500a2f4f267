"""The route of what is on sale now. order_service asks it when an order differs from its replica of the catalogue."""

from flask import Response

from libs.web.flask import Blueprint, json_response
from product_service.api import responses, schemas
from product_service.api.context import config
from product_service.queries.offers import list_offers

routes = Blueprint("offers", __name__)


@routes.get("/products/offers")
@routes.query(schemas.OffersQuery)
@routes.output(schemas.OffersOut)
def get_offers(query: schemas.OffersQuery) -> Response:
    """Read the present price of up to 50 products. Those that are not on sale are left out."""
    offers = list_offers(query.product_ids, currency=config().shop_currency)
    return json_response({"results": [responses.to_offer(product) for product in offers]})
