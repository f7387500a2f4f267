"""Request bodies: JSON objects with a limited size and depth. Their numbers are exact: an int or a Decimal, never a float."""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from libs.values.errors import DomainError, ErrorKind

MAX_BODY_BYTES = 64 * 1024
MAX_DEPTH = 32

# What a number has that orjson reads as a float: a fraction, an exponent, or more digits than 64 bits hold. Text may have it too.
INEXACT = re.compile(rb"[0-9][.eE]|[0-9]{19}")


class MalformedBody(DomainError):
    kind, code, title = ErrorKind.INVALID, "malformed-body", "The body is not a JSON object"


class TooDeep(DomainError):
    kind, code, title = ErrorKind.INVALID, "too-deep", f"The body is nested deeper than {MAX_DEPTH} levels"


def depth_of(value: object) -> int:
    """Levels of nesting. A scalar has none. It is iterative, so no input can exhaust the stack."""
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
        value = orjson.loads(raw)  # refuses invalid UTF-8, NaN and more than 1,024 levels
    except orjson.JSONDecodeError as error:
        raise MalformedBody("The JSON can't be read") from error
    if depth_of(value) > MAX_DEPTH:
        raise TooDeep
    if not isinstance(value, dict):
        raise MalformedBody("A JSON object is expected")
    if INEXACT.search(raw):  # orjson has accepted the text, so the slower parser reads the same value
        value = EXACT_DECODER.decode(raw.decode())
    found: dict[str, Any] = value
    return found


def _exact_number(token: str) -> int | Decimal:
    """The number of a token of JSON. NaN when its exponent is beyond the limits of Decimal, which no field accepts."""
    if len(token) < 20 and token.lstrip("-").isdigit():
        return int(token)
    try:
        return Decimal(token)
    except InvalidOperation:
        return Decimal("NaN")


EXACT_DECODER = json.JSONDecoder(parse_float=_exact_number, parse_int=_exact_number)
