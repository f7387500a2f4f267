"""Bases of JSON input and output: camelCase names, strict types, no unknown fields."""

import re
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError

from libs.values.errors import Invalid
from libs.values.field_errors import field_errors
from libs.values.times import require_in_range

DIGITS = re.compile(r"-?[0-9]+")


class StrictModel(BaseModel):
    """A request body or an event's data. It refuses other types and unknown fields."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", strict=True, hide_input_in_errors=True
    )

    @field_validator("*", mode="after")
    @classmethod
    def _require_times_in_range(cls, value: Any) -> Any:
        if isinstance(value, datetime):
            require_in_range(value)
        return value


class StrictQuery(StrictModel):
    """A query string. Its numbers are text, so types are converted."""

    model_config = ConfigDict(strict=False)


def _require_digits(value: object) -> object:
    if isinstance(value, str) and not DIGITS.fullmatch(value):
        raise PydanticKnownError("int_parsing")
    return value


PlainDigits = BeforeValidator(_require_digits)
"""For an integer of a query string: ASCII digits alone. pydantic also takes spaces around them, and `1_0` for 10."""

B = TypeVar("B", bound=BaseModel)


def validated(model: type[B], data: Any) -> B:
    """`data` as `model`, by its JSON names. Raises Invalid with a row for each refused field."""
    try:
        return model.model_validate(
            dict(data), by_alias=True, by_name=False
        )  # JSON knows `unitPrice`, not `unit_price`
    except ValidationError as error:
        raise Invalid(field_errors(error.errors(include_input=False, include_url=False))) from None
