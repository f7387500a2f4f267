"""What product_service answers, and to whom."""

from flask import Response, current_app, request

from libs.values.pages import page_request
from libs.web.flask import Blueprint, caller, caller_if_any, json_response
from product_service.api import schemas
from product_service.api.etags import etag_header, is_unchanged, sent_if_match
from product_service.queries import products as queries
from product_service.store.documents import RawProduct
from product_service.use_cases import products as use_cases

routes = Blueprint("products", __name__)


@routes.get("/products")
@routes.query(schemas.ProductsQuery)
@routes.output(schemas.ProductPage)
@routes.refuses(401, 403)
def list_products(query: schemas.ProductsQuery) -> Response:
    """List the products; search finds those that hold every word. Inactive ones are for viewers."""
    who = caller_if_any()
    if not query.active:
        (who or caller()).require("viewer")
    kinds = [queries.SORTS[query.sort].kind, str]
    wanted = page_request(sort=query.sort, key_types=kinds, limit=query.limit, cursor=query.cursor)
    page = queries.list_products(
        wanted,
        currency=_currency(),
        active=query.active,
        search=query.search,
        category=query.category,
        min_price=query.min_price,
        max_price=query.max_price,
        in_stock=query.in_stock,
        max_stock=query.max_stock,
    )
    return json_response(page.render(request.url))


@routes.get("/products/<product_id>")
@routes.output(schemas.ProductOut)
@routes.doc(responses=[304, 401])
def read_product(product_id: str) -> Response:
    """Read one product; an inactive one is for viewers."""
    who = caller_if_any()
    product = queries.get_product(product_id, inactive_too=bool(who and who.has_role("viewer")))
    if is_unchanged(product):
        return Response(status=304, headers=etag_header(product))
    return _render(product)


@routes.post("/products")
@routes.requires("staff")
@routes.body(schemas.NewProduct)
@routes.output(schemas.ProductCreatedOut, status_code=201)
@routes.refuses(409)
def create_product(body: schemas.NewProduct) -> Response:
    """Add a product."""
    product = use_cases.create_product(**body.stored(), currency=_currency(), actor=caller().user_id)
    answer = {"status": "success", "product": queries.to_public(product, _currency())}
    return json_response(answer, 201, {**etag_header(product), "Location": f"/products/{product['_id']}"})


@routes.put("/products/<product_id>")
@routes.requires("staff")
@routes.body(schemas.ReplaceProduct)
@routes.output(schemas.ProductOut)
@routes.refuses(409, 412)
def replace_product(product_id: str, body: schemas.ReplaceProduct) -> Response:
    """Set all fields of a product: those left out are reset, but for the stock."""
    return _render(_change(product_id, body.stored()))


@routes.patch("/products/<product_id>")
@routes.requires("staff")
@routes.body(schemas.PatchProduct)
@routes.output(schemas.ProductOut)
@routes.refuses(409, 412)
def patch_product(product_id: str, body: schemas.PatchProduct) -> Response:
    """Set some fields of a product; `active` takes it out of the catalogue or brings it back."""
    return _render(_change(product_id, body.stored(sent_only=True)))


@routes.delete("/products/<product_id>")
@routes.requires("staff")
@routes.output({}, status_code=204)
@routes.refuses(412)
def delete_product(product_id: str) -> Response:
    """Take a product out of the catalogue: it becomes inactive."""
    _change(product_id, {"active": False})
    return Response(status=204)


@routes.post("/products/<product_id>/stock")
@routes.requires("staff")
@routes.body(schemas.AdjustStock)
@routes.output(schemas.ProductOut)
@routes.refuses(409)
def adjust_stock(product_id: str, body: schemas.AdjustStock) -> Response:
    """Add pieces to the stock, or take some."""
    return _render(
        use_cases.adjust_stock(product_id=product_id, delta=body.delta, reason=body.reason, actor=caller().user_id)
    )


def _change(product_id: str, changes: RawProduct) -> RawProduct:
    return use_cases.change_product(
        product_id=product_id,
        changes=changes,
        if_match=sent_if_match(),
        currency=_currency(),
        actor=caller().user_id,
        price_memory=current_app.config["PRICE_MEMORY"],
    )


def _render(product: RawProduct) -> Response:
    return json_response(queries.to_public(product, _currency()), headers=etag_header(product))


def _currency() -> str:
    currency: str = current_app.config["SHOP_CURRENCY"]
    return currency
