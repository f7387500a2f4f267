"""ETags and conditional requests (RFC 9110, 8.8.3 and 13.1)."""

import hashlib
from typing import Any

from flask import Response, request

from product_service.domain.errors import StaleProduct
from product_service.domain.product import Product
from product_service.queries.product_json import ProductState

PUBLIC = ("/products", "/products/{product_id}")  # to read with a token or without one
WEAK = "If-Match has a weak tag (W/), which matches nothing. A proxy that compresses responses makes tags weak"
CONDITIONS = {"get": "If-None-Match", "put": "If-Match", "patch": "If-Match", "delete": "If-Match"}


def etag_header(product: Product | ProductState) -> dict[str, str]:
    """The response header that names the present state."""
    return {"ETag": f'"{product.revision}"'}


def respond_unless_known(body: bytes, tag: str) -> Response:
    """The JSON `body` with its ETag, or 304 when If-None-Match holds the tag, by weak comparison."""
    headers = {"ETag": f'"{tag}"'}
    if "If-None-Match" in request.headers and request.if_none_match.contains_weak(tag):
        return Response(status=304, headers=headers)
    return Response(body, headers=headers, mimetype="application/json")


def tag_of(body: bytes) -> str:
    """The tag of a body that has no version: a hash of its bytes."""
    return hashlib.sha256(body).hexdigest()[:32]


def sent_if_match() -> frozenset[str] | None:
    """The tags in If-Match. None when every state matches: without the header, or with `*`.

    If-Match compares strongly, so a weak tag matches nothing. A tag that can't be read matches nothing either. Raises StaleProduct
    for weak tags alone: often a proxy that compresses has made them of strong ones.
    """
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    strong = frozenset(tag for tag in request.if_match.as_set() if tag)
    if not strong and request.if_match.as_set(include_weak=True):
        raise StaleProduct(WEAK)
    return strong


def with_conditions(spec: Any) -> Any:
    """Add the headers to the OpenAPI document `spec`, and optional tokens to its reads; return it."""
    for path, operations in spec["paths"].items():
        if "get" in operations and path in PUBLIC:
            operations["get"]["security"] = [{}, {"bearer": []}]
            operations["get"]["responses"]["304"] = {"description": "Unchanged"}
        if path in PUBLIC:
            for method, operation in operations.items():
                if method in CONDITIONS:
                    header = {"name": CONDITIONS[method], "in": "header", "schema": {"type": "string"}}
                    operation["parameters"] = [*operation.get("parameters", []), header]
    return spec
