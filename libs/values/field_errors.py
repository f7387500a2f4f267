"""Refused fields as `{field, code, message}`. Codes and messages are ours, whatever the library says.

An error that this table does not know is `invalid-value`. A validator of ours raises PydanticCustomError with a code and a message.
"""

from collections.abc import Iterable, Mapping
from typing import get_args

from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

LIBRARY = frozenset(get_args(ErrorType))
"""The library's own errors. All others are those of our validators."""
INTEGER, BOOLEAN = ("integer-type", "Enter a whole number"), ("boolean-type", "Enter true or false")
OBJECT, CHOICE = ("object-type", "Enter an object"), ("invalid-choice", "Enter one of: {expected}")
MEANINGS: Mapping[str, tuple[str, str]] = {
    "missing": ("missing", "A value is required"),
    "extra_forbidden": ("extra-forbidden", "There is no such field"),
    "string_type": ("string-type", "Enter a text"),
    "string_too_short": ("string-too-short", "Enter at least {min_length} characters"),
    "string_too_long": ("string-too-long", "Enter at most {max_length} characters"),
    "string_pattern_mismatch": ("invalid-format", "The text has not the expected form"),
    "int_type": INTEGER,
    "int_parsing": INTEGER,
    "int_parsing_size": INTEGER,
    "int_from_float": INTEGER,
    "bool_type": BOOLEAN,
    "bool_parsing": BOOLEAN,
    "greater_than": ("too-small", "Enter more than {gt}"),
    "greater_than_equal": ("too-small", "Enter {ge} or more"),
    "less_than": ("too-large", "Enter less than {lt}"),
    "less_than_equal": ("too-large", "Enter {le} or less"),
    "list_type": ("list-type", "Enter a list"),
    "too_short": ("too-few", "Enter at least {min_length}"),
    "too_long": ("too-many", "Enter at most {max_length}"),
    "model_type": OBJECT,
    "model_attributes_type": OBJECT,
    "dict_type": OBJECT,
    "literal_error": CHOICE,
    "enum": CHOICE,
}
"""An error of the library: our code, and our message with the values of the rule."""
OTHER = ("invalid-value", "This value is not valid")
CODES = frozenset(code for code, _ in (*MEANINGS.values(), OTHER))
EMPTY_NAME, WHOLE_BODY = "(empty)", "body"


def field_errors(errors: Iterable[ErrorDetails]) -> list[dict[str, str]]:
    """The library's list of errors (`ValidationError.errors()`) as `{field, code, message}` rows."""
    return [_row(error) for error in errors]


def field_name(path: Iterable[str | int]) -> str:
    """The name of a field for a client, such as `items.0.quantity`. It is never empty."""
    return ".".join(str(part) or EMPTY_NAME for part in path) or WHOLE_BODY


def _row(error: ErrorDetails) -> dict[str, str]:
    kind = error["type"]
    code, message = (kind.replace("_", "-"), error["msg"])
    if kind in LIBRARY:
        code, message = MEANINGS.get(kind, OTHER)
        try:
            message = message.format_map(error.get("ctx", {}))
        except KeyError:  # a rule without its values
            message = OTHER[1]
    return {"field": field_name(error["loc"]), "code": code, "message": message}
