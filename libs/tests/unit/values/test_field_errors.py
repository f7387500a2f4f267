"""Refused fields: a name, a code of ours, and words of ours."""

from typing import Annotated, Literal, get_args

import pytest
from pydantic import AfterValidator, EmailStr, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ErrorType

from libs.values.errors import Invalid
from libs.values.field_errors import CODES, field_errors
from libs.values.money import parse_money
from libs.values.schema import StrictModel, StrictQuery, validated
from libs.values.text import Matching


def _refuse(_: str) -> str:
    raise ValueError("an inside detail")


def _refuse_in_words(_: str) -> str:
    raise PydanticCustomError("too_blue", "Choose another colour")


class Inner(StrictModel):
    count: int


class Sample(StrictModel):
    name: Annotated[str, StringConstraints(min_length=2, max_length=4)] = "abc"
    handle: Annotated[str, Matching(r"^[a-z]+$", "invalid-handle", "Enter small letters")] = "abc"
    form: Annotated[str, StringConstraints(pattern=r"^[a-z]+$")] = "abc"
    detail: Annotated[str, AfterValidator(_refuse)] = "abc"
    colour: Annotated[str, AfterValidator(_refuse_in_words)] = "abc"
    mail: EmailStr = "a@example.com"
    kind: Literal["a", "b"] = "a"
    count: Annotated[int, Field(ge=1, le=9)] = 1
    flag: bool = True
    parts: list[Inner] = Field(default=[], max_length=1)
    inner: Inner | None = None


class Whole(StrictModel):
    @model_validator(mode="after")
    def _refuse_whole(self) -> "Whole":
        raise PydanticCustomError("never_good", "It is never good")


def rows(model, data):
    with pytest.raises(Invalid) as refused:
        validated(model, data)
    return [(row["field"], row["code"], row["message"]) for row in refused.value.errors]


@pytest.mark.parametrize(
    ("data", "row"),
    [
        ({"name": "a"}, ("name", "string-too-short", "Enter at least 2 characters")),
        ({"name": "abcde"}, ("name", "string-too-long", "Enter at most 4 characters")),
        ({"name": 1}, ("name", "string-type", "Enter a text")),
        ({"handle": "A"}, ("handle", "invalid-handle", "Enter small letters")),
        ({"form": "A"}, ("form", "invalid-format", "The text has not the expected form")),
        ({"detail": "x"}, ("detail", "invalid-value", "This value is not valid")),
        ({"colour": "x"}, ("colour", "too-blue", "Choose another colour")),
        ({"mail": "x"}, ("mail", "invalid-value", "This value is not valid")),
        ({"kind": "c"}, ("kind", "invalid-choice", "Enter one of: 'a' or 'b'")),
        ({"count": 0}, ("count", "too-small", "Enter 1 or more")),
        ({"count": 10}, ("count", "too-large", "Enter 9 or less")),
        ({"count": "1"}, ("count", "integer-type", "Enter a whole number")),
        ({"count": 1.5}, ("count", "integer-type", "Enter a whole number")),
        ({"flag": "on"}, ("flag", "boolean-type", "Enter true or false")),
        ({"parts": 1}, ("parts", "list-type", "Enter a list")),
        ({"parts": [{"count": 1}, {"count": 1}]}, ("parts", "too-many", "Enter at most 1")),
        ({"parts": [1]}, ("parts.0", "object-type", "Enter an object")),
        ({"parts": [{}]}, ("parts.0.count", "missing", "A value is required")),
        ({"inner": {"count": None}}, ("inner.count", "integer-type", "Enter a whole number")),
        ({"other": 1}, ("other", "extra-forbidden", "There is no such field")),
        ({"": 1}, ("(empty)", "extra-forbidden", "There is no such field")),
    ],
)
def test_each_fault_has_a_name_a_code_and_words_of_ours(data, row):
    assert rows(Sample, data) == [row]


def test_what_concerns_the_whole_body_has_a_name_too():
    assert rows(Whole, {}) == [("body", "never-good", "It is never good")]


def test_the_pattern_stays_in_the_document():
    assert Sample.model_json_schema()["properties"]["handle"]["pattern"] == "^[a-z]+$"


@pytest.mark.parametrize("kind", get_args(ErrorType))
def test_no_text_of_the_library_comes_through(kind):
    [row] = field_errors([{"type": kind, "loc": ("a", 0), "msg": "Value error, ^[a-z]+$", "ctx": {}}])
    assert row["field"] == "a.0"
    assert row["code"] in CODES
    assert "Value error" not in row["message"]
    assert "^" not in row["message"]


@pytest.mark.parametrize("value", ["-1", "1.001", 1e12, [], True])
def test_an_amount_has_a_code_of_its_own(value):
    with pytest.raises(ValueError, match="Enter") as refused:
        parse_money(value)
    assert refused.value.type == "invalid_amount"


def test_times_out_of_range_have_one():
    from datetime import datetime

    class Query(StrictQuery):
        at: datetime | None = None

    assert rows(Query, {"at": "0001-01-01T00:00:00Z"})[0][:2] == ("at", "time-out-of-range")
