"""Request bodies: JSON objects with a limited size and depth. Their numbers are exact: an int or a Decimal, never a float."""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
from werkzeug.http import parse_options_header

from libs.values.errors import DomainError, ErrorKind, Repeated
from libs.values.field_errors import field_name

MAX_BODY_BYTES = 64 * 1024
MAX_DEPTH = 32
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # RFC 8259 8.1: a parser may ignore it
CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
MAX_INTEGER_DIGITS = 19

# What a number has that orjson reads as a float: a fraction, an exponent, or more digits than 64 bits hold. Text may have it too.
INEXACT = re.compile(rb"[0-9][.eE]|[0-9]{19}")
NAME_END = re.compile(rb'"[ \t\r\n]*:')  # each name of an object ends so. Text may have it too.


class MalformedBody(DomainError):
    kind, code, title = ErrorKind.INVALID, "malformed-body", "The body is not a JSON object"


class TooDeep(DomainError):
    kind, code, title = ErrorKind.INVALID, "too-deep", f"The body is nested deeper than {MAX_DEPTH} levels"


class UnsupportedMediaType(DomainError):
    kind, code, title = ErrorKind.WRONG_MEDIA_TYPE, "unsupported-media-type", "Send application/json"


class UnsupportedCoding(DomainError):
    kind, code = ErrorKind.WRONG_MEDIA_TYPE, "unsupported-content-encoding"
    title = "Send the body without a Content-Encoding"


class UnsupportedCharset(DomainError):
    kind, code, title = ErrorKind.WRONG_MEDIA_TYPE, "unsupported-charset", "Send the body in UTF-8"


def require_readable(content_type: str | None, coding: str | None) -> None:
    """Raise the error of a body that is no JSON in UTF-8, or is compressed. The arguments are Content-Type and Content-Encoding."""
    media_type, options = parse_options_header(content_type)
    if media_type.lower() != "application/json":
        raise UnsupportedMediaType
    if (coding or "").strip().lower() not in ("", "identity"):
        raise UnsupportedCoding(f"The coding {coding} can't be read")
    if (charset := options.get("charset", "utf-8")).strip().lower() not in CHARSETS:
        raise UnsupportedCharset(f"The charset {charset} can't be read. JSON is UTF-8 (RFC 8259)")


def measure(value: object) -> tuple[int, int]:
    """The levels of nesting, of which a scalar has none, and the number of names in all objects.

    It is iterative, so no input can exhaust the stack.
    """
    deepest, names, todo = 0, 0, [(value, 0)]
    while todo:
        node, level = todo.pop()
        deepest = max(deepest, level)
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        names += len(node) if isinstance(node, dict) else 0
        todo += [(child, level + 1) for child in children if isinstance(child, (dict, list))]
    return deepest + isinstance(value, (dict, list)), names


def parse_object(raw: bytes) -> dict[str, Any]:
    """A request body as a dict. Raises MalformedBody, TooDeep, or Repeated for a name that an object has more than once."""
    raw = raw.removeprefix(BYTE_ORDER_MARK)
    try:
        value = orjson.loads(raw)  # refuses invalid UTF-8, NaN and more than 1,024 levels
    except orjson.JSONDecodeError as error:
        raise MalformedBody("The JSON can't be read") from error
    depth, names = measure(value)
    if depth > MAX_DEPTH:
        raise TooDeep
    if not isinstance(value, dict):
        raise MalformedBody("A JSON object is expected")
    # orjson has accepted the text, so the slower parser reads the same value. It sees what orjson has dropped.
    if len(NAME_END.findall(raw)) != names:
        _refuse_repeated_names(raw)
    if INEXACT.search(raw):
        value = EXACT_DECODER.decode(raw.decode())
    found: dict[str, Any] = value
    return found


def _refuse_repeated_names(raw: bytes) -> None:
    repeated: list[str] = []
    try:
        whole: object = PAIRS_DECODER.decode(raw.decode())
    except RecursionError:  # in a value that orjson has dropped
        raise TooDeep from None
    todo: list[tuple[tuple[str | int, ...], object]] = [((), whole)]
    while todo:
        path, node = todo.pop()
        if len(path) >= MAX_DEPTH:
            raise TooDeep
        seen: set[str] = set()
        for name, child in (
            node.pairs if isinstance(node, _Object) else enumerate(node if isinstance(node, list) else ())
        ):
            if name in seen:
                repeated.append(field_name((*path, name)))
            seen |= {name} if isinstance(name, str) else set()
            if isinstance(child, (_Object, list)):
                todo.append(((*path, name), child))
    if repeated:
        raise Repeated.fields(repeated)


class _Object:
    """An object with all its pairs of name and value, as they were sent."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


def _exact_number(token: str) -> int | Decimal:
    """The number of a token of JSON. NaN when its exponent is beyond the limits of Decimal, which no field accepts.

    `1.0` is the integer 1, as in JSON Schema (draft 6 and later).
    """
    if len(token) < 20 and token.lstrip("-").isdigit():
        return int(token)
    try:
        number = Decimal(token)
    except InvalidOperation:
        return Decimal("NaN")
    if number.adjusted() < MAX_INTEGER_DIGITS and number == number.to_integral_value():
        return int(number)
    return number


EXACT_DECODER = json.JSONDecoder(parse_float=_exact_number, parse_int=_exact_number)
PAIRS_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, object_pairs_hook=_Object)
