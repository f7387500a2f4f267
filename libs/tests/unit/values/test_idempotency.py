"""Idempotency-Keys: which keys are accepted, and what makes two bodies the same."""

import pytest

from libs.values.errors import Invalid
from libs.values.idempotency import HEADER, IdempotentRequest, key_of


def hash_of(body):
    return IdempotentRequest(user_id="u", route="POST /things", key="k", body=body).body_hash


def test_the_order_of_names_does_not_matter():
    assert hash_of({"a": 1, "b": {"c": 2, "d": 3}}) == hash_of({"b": {"d": 3, "c": 2}, "a": 1})


def test_the_order_of_items_does():
    assert hash_of([1, 2]) != hash_of([2, 1])


def test_a_hash_fits_its_column():
    assert len(hash_of({})) == 64


def test_a_request_may_have_a_key_of_up_to_128_printable_characters():
    assert key_of({}) is None
    assert key_of({HEADER: "k" * 128}) == "k" * 128


@pytest.mark.parametrize("key", ["", "k" * 129, "é", "a\tb"])
def test_another_key_is_refused(key):
    with pytest.raises(Invalid):
        key_of({HEADER: key})
