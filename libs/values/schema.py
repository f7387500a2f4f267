"""Bases of what comes in and goes out as JSON: camelCase names, strict types, nothing unknown."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from libs.values.errors import Invalid, field_errors


class StrictModel(BaseModel):
    """A request body or an event's data: exact types, unknown fields are refused."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", strict=True, hide_input_in_errors=True
    )


class StrictQuery(StrictModel):
    """A query string: the same, but numbers come as text."""

    model_config = ConfigDict(strict=False)


B = TypeVar("B", bound=BaseModel)


def validated(model: type[B], data: Any) -> B:
    """`data` as `model`, by its JSON names. Raises Invalid with a row for each refused field."""
    try:
        return model.model_validate(dict(data), by_alias=True, by_name=False)  # price_minor is no name for priceMinor
    except ValidationError as error:
        raise Invalid(field_errors(error.errors(include_input=False, include_url=False))) from None
