"""The keys by which products are sorted and compared."""

import pytest

from product_service.domain.product import fold
from product_service.store.documents import NAME_KEY_LENGTH, etag_of


@pytest.mark.parametrize(
    ("name", "key"), [("Lamp", "lamp"), ("ÉCLAIR", "eclair"), ("Straße", "strasse"), ("x" * 200, "x" * NAME_KEY_LENGTH)]
)
def test_names_are_sorted_without_case_and_accents(name, key):
    assert fold(name) == key


def test_an_etag_names_version_and_stock():
    assert etag_of({"version": 3, "stock": 12}) == "3.12"
