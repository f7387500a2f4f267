"""/openapi.json: drf-spectacular makes it once per process, from the views and the pydantic models."""

from functools import cache
from typing import Any, Literal

import orjson
from django import forms
from django.http import HttpResponse
from django.templatetags.static import static
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from pydantic import BaseModel

from libs.web.openapi import DOCS_PAGE, DOCS_SCRIPT, document_problems
from order_service.api.filters import MomentField, OrderFilters, form_of


class Bearer(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The document's security scheme for access tokens."""

    target_class = "order_service.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """The security scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class Documented(AutoSchema):
    """The first line of a view's docstring is the summary of its operation."""

    def get_summary(self) -> str:
        return super().get_description().partition("\n")[0]

    def get_description(self) -> str:  # type: ignore[override]  # the stubs know its base only
        return super().get_description().partition("\n")[2].strip()


def each_route_once(endpoints: Any) -> Any:
    """Leave out the second route of each pair, with a slash at the end."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]


def with_problems(result: Any, generator: Any, request: Any, public: Any) -> Any:
    """Add the error responses of every operation. Require each body that is described."""
    for operation in (o for operations in result["paths"].values() for o in operations.values()):
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True
    return document_problems(result)


def parameters_of(model: type[BaseModel], location: Literal["query", "header"] = "query") -> list[OpenApiParameter]:
    """The fields of a query string, or of the headers."""
    properties = model.model_json_schema(by_alias=True)["properties"]
    return [OpenApiParameter(name, _without_null(schema), location) for name, schema in properties.items()]


def parameters_of_form(filters: type[OrderFilters]) -> list[OpenApiParameter]:
    """The fields of a list's form, as a query string."""
    fields = form_of(filters).base_fields  # type: ignore[arg-type]  # an untyped base hides the hash
    return [OpenApiParameter(name, _schema_of(f), description=str(f.help_text)) for name, f in fields.items()]


def _schema_of(field: forms.Field) -> dict[str, Any]:
    match field:
        case forms.ChoiceField():
            return {"type": "string", "enum": [value for value, _ in field.widget.choices if value]}
        case MomentField():
            return {"type": "string", "format": "date-time"}
    if isinstance(field.widget, forms.NumberInput):
        return {"type": "integer", "minimum": field.widget.attrs["min"], "maximum": field.widget.attrs["max"]}
    longest = getattr(field, "max_length", None)
    return {"type": "string", "minLength": 1} | ({"maxLength": longest} if longest else {})


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    kind = next(s for s in schema.get("anyOf", [schema]) if s.get("type") != "null")
    described: dict[str, Any] = kind | ({"description": schema["description"]} if "description" in schema else {})
    return described


@cache
def _document() -> bytes:
    return orjson.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str)  # type: ignore[no-untyped-call]


def show_document() -> HttpResponse:
    """The response to GET /openapi.json."""
    return HttpResponse(_document(), content_type="application/json")


def show_page() -> HttpResponse:
    """The response to GET /docs."""
    return HttpResponse(DOCS_PAGE.replace("ASSETS", static("drf_spectacular_sidecar/swagger-ui-dist")))


def show_script() -> HttpResponse:
    """The response to GET /docs/start.js."""
    return HttpResponse(DOCS_SCRIPT, content_type="text/javascript")
