"""Ids of documents: one text for each."""

import pytest
from bson import ObjectId

from libs.mongo_store.ids import to_object_id

ID = "65f0a1b2c3d4e5f60718293a"


def test_an_id_is_found_by_its_own_text():
    assert to_object_id(ID) == ObjectId(ID)


@pytest.mark.parametrize("text", [ID.upper(), f"{ID} ", f" {ID}", ID[:-1], "x", "", "me", f"{ID[:-1]}A", "٣" * 24])
def test_another_text_is_no_id(text):
    assert to_object_id(text) is None
