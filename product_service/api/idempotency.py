"""Responses to requests that may have an Idempotency-Key."""

from typing import Any

import orjson
from flask import Response, request

from libs.values.idempotency import HEADER, IdempotencyHeaders, IdempotentRequest, key_of
from libs.values.schema import StrictModel
from libs.web.flask import caller
from product_service.domain.idempotency import StoredResponse
from product_service.use_cases.idempotency import Work, respond_once


def stored_response(body: object, *, status: int, headers: dict[str, str]) -> StoredResponse:
    """A response with a JSON body."""
    return StoredResponse(status=status, body=orjson.dumps(body).decode(), headers=headers)


def respond(route: str, sent: StrictModel, work: Work, **path: str) -> Response:
    """The response of `work`. With a key it is that to the first request with the key, by the user and the route.

    `sent`: the body of the request. `path`: the values in the path, which count as part of the body.
    """
    key = key_of(dict(request.headers))
    if key is None:
        response = work(None)
    else:
        body: dict[str, object] = {"path": path, "body": sent.model_dump(mode="json", by_alias=True)}
        response = respond_once(IdempotentRequest(user_id=caller().user_id, route=route, key=key, body=body), work)
    return Response(response.body, response.status, response.headers, mimetype="application/json")


def with_idempotency_keys(spec: Any) -> Any:
    """Add the header to the OpenAPI document `spec`, and return it."""
    schema = IdempotencyHeaders.model_json_schema(by_alias=True)["properties"][HEADER]
    text = schema.pop("description")
    header = {"name": HEADER, "in": "header", "description": text, "schema": schema}
    for path in ("/products", "/products/{product_id}/stock"):
        operation = spec["paths"][path]["post"]
        operation["parameters"] = [*operation.get("parameters", []), header]
    return spec
