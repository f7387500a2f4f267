"""Bases of what comes in and goes out as JSON: camelCase names, strict types, nothing unknown."""

import unicodedata
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from chassis.errors import DomainError, Invalid, Kind, field_errors

MAX_BODY_BYTES = 64 * 1024
MAX_DEPTH = 32


class Body(BaseModel):
    """A request body or an event's data: exact types, unknown fields are refused."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", strict=True, hide_input_in_errors=True
    )


class Query(Body):
    """A query string: the same, but numbers come as text."""

    model_config = ConfigDict(strict=False)


B = TypeVar("B", bound=BaseModel)


def validated(model: type[B], data: Any) -> B:
    """`data` as `model`, by its JSON names. Raises Invalid with a row for each refused field."""
    try:
        return model.model_validate(dict(data), by_alias=True, by_name=False)  # price_minor is no name for priceMinor
    except ValidationError as error:
        raise Invalid(field_errors(error.errors(include_input=False, include_url=False))) from None


def _refuse_control_characters(text: str) -> str:
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text):
        raise ValueError("control characters are not allowed")
    return text


def _refuse_line_breaks(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise ValueError("line breaks and tabs are not allowed")
    return text


Text = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_refuse_control_characters)]
Line = Annotated[Text, AfterValidator(_refuse_line_breaks)]


class MalformedBody(DomainError):
    kind, code, title = Kind.INVALID, "malformed-body", "The body is not a JSON object"


class TooDeep(DomainError):
    kind, code, title = Kind.INVALID, "too-deep", f"The body is nested deeper than {MAX_DEPTH} levels"


def depth_of(value: Any) -> int:
    """Levels of nesting; a scalar has none. Iterative, so that no input can exhaust the stack."""
    deepest, todo = 0, [(value, 0)]
    while todo:
        node, level = todo.pop()
        deepest = max(deepest, level)
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        todo += [(child, level + 1) for child in children if isinstance(child, (dict, list))]
    return deepest + isinstance(value, (dict, list))


def parse_object(raw: bytes) -> dict[str, Any]:
    """A request body as a dict. Raises MalformedBody or TooDeep."""
    try:
        value = orjson.loads(raw)  # refuses bad UTF-8, NaN and more than 1,024 levels
    except orjson.JSONDecodeError as error:
        raise MalformedBody("The JSON can't be read") from error
    if depth_of(value) > MAX_DEPTH:
        raise TooDeep
    if not isinstance(value, dict):
        raise MalformedBody("A JSON object is expected")
    return value
