"""The routes of products."""

import orjson
from flask import Response, request
from pymongo.client_session import ClientSession

from libs.values.money import Money
from libs.values.pages import Page, page_request
from libs.web.flask import Blueprint, caller, caller_if_any, json_response
from product_service.api import responses, schemas
from product_service.api.context import config, product_json
from product_service.api.etags import etag_header, respond_unless_known, sent_if_match, tag_of
from product_service.api.idempotency import respond, stored_response
from product_service.domain.errors import UnknownProduct
from product_service.domain.idempotency import StoredResponse
from product_service.domain.product import Product, ProductFields
from product_service.queries import products as queries
from product_service.queries.product_changes import KEY_TYPES, SORT, list_changes
from product_service.use_cases.adjust_stock import adjust_stock
from product_service.use_cases.change_product import change_product, withdraw_product
from product_service.use_cases.create_product import create_product

routes = Blueprint("products", __name__)


@routes.get("/products")
@routes.query(schemas.ProductsQuery)
@routes.output(schemas.ProductPage)
@routes.refuses(401, 403)
def get_products(query: schemas.ProductsQuery) -> Response:
    """List the products; search finds those that hold every word. Inactive ones are for viewers.

    A page with several filters may have fewer products than `limit`, or none: follow `next` until it is null.

    A product whose price, name or stock changes while a client pages by it may be missed or appear twice. By `newest` each appears
    once.
    """
    who = caller_if_any()
    if not query.active:
        (who or caller()).require("viewer")
    key_types = [queries.SORTS[query.sort].kind, str]
    page = queries.list_products(
        page_request(sort=query.sort, key_types=key_types, limit=query.limit, cursor=query.cursor),
        active=query.active,
        search=query.search,
        category=query.category,
        min_price=query.min_price,
        max_price=query.max_price,
        in_stock=query.in_stock,
        max_stock=query.max_stock,
    )
    complete = Page(results=product_json().complete(page.results), next=page.next, previous=page.previous)
    body = orjson.dumps(responses.to_page(complete, request.full_path))
    return respond_unless_known(body, tag_of(body))


@routes.get("/products/<product_id>")
@routes.output(schemas.ProductOut)
@routes.doc(responses=[304, 401])
def get_product(product_id: str) -> Response:
    """Read one product; an inactive one is for viewers."""
    who = caller_if_any()
    product = product_json().find(product_id)
    if not (product.active or (who and who.has_role("viewer"))):
        raise UnknownProduct
    return respond_unless_known(product.json, product.revision)


@routes.post("/products")
@routes.requires("staff")
@routes.body(schemas.NewProduct)
@routes.output(schemas.ProductCreatedOut, status_code=201)
@routes.refuses(409, 422)
def post_product(body: schemas.NewProduct) -> Response:
    """Add a product. With an `Idempotency-Key` one is added, however often the request is sent."""

    def create(transaction: ClientSession | None) -> StoredResponse:
        product = create_product(
            name=body.name,
            price=Money(body.price, config().shop_currency),
            stock=body.stock,
            description=body.description,
            sku=body.sku,
            category=body.category,
            image_url=body.image_url,
            actor=caller().user_id,
            transaction=transaction,
        )
        reply = {"status": "success", "product": responses.to_public(product)}
        headers = {**etag_header(product), "Location": f"/products/{product.id}"}
        return stored_response(reply, status=201, headers=headers)

    return respond("POST /products", body, create)


@routes.put("/products/<product_id>")
@routes.requires("staff")
@routes.body(schemas.ReplaceProduct)
@routes.output(schemas.ProductOut)
@routes.refuses(409, 412)
def put_product(product_id: str, body: schemas.ReplaceProduct) -> Response:
    """Set all fields of a product: those left out are reset, but for the stock."""
    return _render(_change(product_id, body.product_fields(config().shop_currency)))


@routes.patch("/products/<product_id>")
@routes.requires("staff")
@routes.body(schemas.PatchProduct)
@routes.output(schemas.ProductOut)
@routes.refuses(409, 412)
def patch_product(product_id: str, body: schemas.PatchProduct) -> Response:
    """Set some fields of a product; `active` takes it out of the catalogue or brings it back."""
    return _render(_change(product_id, body.product_fields(config().shop_currency, sent_only=True)))


@routes.delete("/products/<product_id>")
@routes.requires("staff")
@routes.output({}, status_code=204)
@routes.refuses(412)
def delete_product(product_id: str) -> Response:
    """Take a product out of the catalogue: it becomes inactive."""
    withdraw_product(
        product_id=product_id, if_match=sent_if_match(), currency=config().shop_currency, actor=caller().user_id
    )
    return Response(status=204)


@routes.post("/products/<product_id>/stock")
@routes.requires("staff")
@routes.body(schemas.AdjustStock)
@routes.output(schemas.ProductOut)
@routes.refuses(409, 422)
def post_stock(product_id: str, body: schemas.AdjustStock) -> Response:
    """Add pieces to the stock, or take some. With an `Idempotency-Key` once, however often the request is sent."""

    def adjust(transaction: ClientSession | None) -> StoredResponse:
        product = adjust_stock(
            product_id=product_id,
            delta=body.delta,
            reason=body.reason,
            currency=config().shop_currency,
            actor=caller().user_id,
            transaction=transaction,
        )
        return stored_response(responses.to_public(product), status=200, headers=etag_header(product))

    return respond("POST /products/{id}/stock", body, adjust, product_id=product_id)


@routes.get("/products/<product_id>/changes")
@routes.requires("viewer")
@routes.query(schemas.ChangesQuery)
@routes.output(schemas.ChangePage)
def get_changes(product_id: str, query: schemas.ChangesQuery) -> Response:
    """List what staff changed about a product, the newest first."""
    page = list_changes(
        product_id,
        page_request(sort=SORT, key_types=KEY_TYPES, limit=query.limit, cursor=query.cursor),
        currency=config().shop_currency,
    )
    return json_response(responses.to_change_page(page, request.url))


def _change(product_id: str, fields: ProductFields) -> Product:
    return change_product(
        product_id=product_id,
        fields=fields,
        if_match=sent_if_match(),
        currency=config().shop_currency,
        actor=caller().user_id,
    )


def _render(product: Product) -> Response:
    return json_response(responses.to_public(product), headers=etag_header(product))
