"""The query string: one value for each parameter, and none that is empty."""

import pytest

from libs.values.errors import Invalid, Repeated
from libs.web.parameters import single_values


def test_each_parameter_has_one_value():
    assert single_values([("a", ["1"]), ("b", [" x "])]) == {"a": "1", "b": " x "}


@pytest.mark.parametrize(
    ("values", "empty"), [([("a", [""]), ("b", ["1"])], ["a"]), ([("a", ["  "]), ("", [""])], ["a", "(empty)"])]
)
def test_an_empty_value_is_refused(values, empty):
    with pytest.raises(Invalid) as refused:
        single_values(values)
    assert [(row["field"], row["code"]) for row in refused.value.errors] == [(name, "blank") for name in empty]


def test_a_repeated_parameter_is_refused_also_with_the_same_value():
    with pytest.raises(Repeated) as refused:
        single_values([("a", ["1", "1"]), ("b", [""]), ("c", ["1", "2", "3"])])
    assert [(row["field"], row["code"]) for row in refused.value.errors] == [("a", "repeated"), ("c", "repeated")]
