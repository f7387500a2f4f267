"""The query string, by one rule in all services: each parameter once, and none of them empty."""

from collections.abc import Iterable, Sequence

from libs.values.errors import Invalid, Repeated
from libs.values.field_errors import EMPTY_NAME

Parameters = Iterable[tuple[str, Sequence[str]]]
"""Each parameter with all its values, as they were sent."""


def require_single(parameters: Parameters) -> None:
    """Raise Repeated for parameters that are there more than once, also with the same value."""
    if repeated := [name or EMPTY_NAME for name, values in parameters if len(values) > 1]:
        raise Repeated.fields(repeated)


def blank_row(name: str) -> dict[str, str]:
    """The row of a parameter whose value is empty."""
    return {"field": name or EMPTY_NAME, "code": "blank", "message": "Enter a value, or leave the parameter out"}


def single_values(parameters: Parameters) -> dict[str, str]:
    """The value of each parameter. Raises Repeated, and Invalid for empty values."""
    parameters = list(parameters)
    require_single(parameters)
    found = {name: values[0] for name, values in parameters if values}
    if rows := [blank_row(name) for name, value in found.items() if not value.strip()]:
        raise Invalid(rows)
    return found
