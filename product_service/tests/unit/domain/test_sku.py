"""SKUs: one form of each, so that two products do not have SKUs that look the same."""

import pytest

from libs.values.errors import Invalid
from libs.values.schema import validated
from product_service.api.schemas import PatchProduct
from product_service.domain.sku import canonical_sku


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("SKU-1", "SKU-1"),
        ("SKU-e\u0301", "SKU-é"),
        ("SKU-é", "SKU-é"),
        (" AB\u00a012 ", "AB 12"),
        ("AB  12", "AB 12"),
        ("AB\u3000\u2003 12", "AB 12"),
        ("\u0958", "\u0915\u093c"),  # excluded from composition
    ],
)
def test_a_sku_has_one_form(typed, canonical):
    assert canonical_sku(typed) == canonical == canonical_sku(canonical)
    assert validated(PatchProduct, {"sku": typed}).sku == canonical


def test_case_counts():
    assert canonical_sku("sku-1") != canonical_sku("SKU-1")


INVISIBLE = [
    "\u200b",
    "\u200c",
    "\u200d",
    "\u034f",
    "\ufe0f",
    "\U000e0101",
    "\u3164",
    "\u2800",
    "\u180b",
    "\u00ad",
    "\ufeff",
    "\u17b4",
]


@pytest.mark.parametrize("character", INVISIBLE)
def test_what_is_not_visible_is_refused_and_dropped_from_a_stored_one(character):
    text = f"AB{character}12"
    with pytest.raises(Invalid) as refused:
        validated(PatchProduct, {"sku": text})
    assert [(row["field"], row["code"]) for row in refused.value.errors] == [("sku", "character-not-allowed")]
    assert canonical_sku(text) == "AB12"


@pytest.mark.parametrize("text", ["", "  ", "\u00a0", "x" * 65])
def test_an_empty_or_long_one_is_refused(text):
    with pytest.raises(Invalid):
        validated(PatchProduct, {"sku": text})
