"""What makes two bodies the same."""

from order_service.use_cases.idempotency import IdempotentRequest


def hash_of(body):
    return IdempotentRequest(user_id="u", key="k", body=body).body_hash


def test_the_order_of_names_does_not_matter():
    assert hash_of({"a": 1, "b": {"c": 2, "d": 3}}) == hash_of({"b": {"d": 3, "c": 2}, "a": 1})


def test_the_order_of_items_does():
    assert hash_of([1, 2]) != hash_of([2, 1])


def test_a_hash_fits_its_column():
    assert len(hash_of({})) == 64
