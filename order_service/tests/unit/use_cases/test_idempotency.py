"""What makes two bodies the same."""

from order_service.use_cases.idempotency import IdempotentRequest


def hash_of(body, order_id=None):
    return IdempotentRequest(user_id="u", route="POST /orders", key="k", body=body, order_id=order_id).body_hash


def test_the_order_of_names_does_not_matter():
    assert hash_of({"a": 1, "b": {"c": 2, "d": 3}}) == hash_of({"b": {"d": 3, "c": 2}, "a": 1})


def test_the_order_of_items_does():
    assert hash_of([1, 2]) != hash_of([2, 1])


def test_the_order_in_the_path_is_part_of_the_body():
    assert len({hash_of({}), hash_of({}, "a"), hash_of({}, "b")}) == 3


def test_a_hash_fits_its_column():
    assert len(hash_of({})) == 64
