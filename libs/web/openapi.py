"""OpenAPI documents: the page that shows one, and the error responses of each operation."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from libs.web.problems import PROBLEM_JSON

DOCS_PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>API</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="ASSETS/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="ASSETS/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>
"""
"""The page at /docs. Each framework replaces ASSETS by the path of its static files."""
DOCS_SCRIPT = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true});'

PROBLEM_SCHEMA: Mapping[str, object] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "instance", "requestId"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "code", "instance", "requestId")},
        "status": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {n: {"type": "string"} for n in ("field", "code", "message")}},
            "description": "The fields that were refused. docs/http-api.md lists the codes that all services have",
        },
    },
}


def document_problems(spec: Any) -> Any:
    """Add the problems of each operation to those that it declares, and return `spec`. They follow from the operation's input."""
    spec.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    problem = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, operations in spec["paths"].items():
        for operation in (o for o in operations.values() if isinstance(o, dict) and "responses" in o):
            statuses = {status for status in operation["responses"] if str(status) >= "400"}
            statuses |= {"400", "503"}  # 400: a parameter is repeated, also one that the route does not have
            statuses |= {"413", "415"} if "requestBody" in operation else set()
            statuses |= {"401", "403"} if operation.get("security") else set()
            statuses |= {"404"} if "{" in path else set()
            for status in statuses:
                operation["responses"][status] = {"description": HTTPStatus(int(status)).phrase, "content": problem}
    return spec
