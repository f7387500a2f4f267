"""Ids of documents, as clients know them: 24 hexadecimal digits in lower case. They are compared byte by byte."""

from bson import ObjectId


def to_object_id(text: str) -> ObjectId | None:
    """The id with exactly this text, None for any other text. The driver itself also takes upper case."""
    return found if ObjectId.is_valid(text) and str(found := ObjectId(text)) == text else None
