"""What a product is."""

import unicodedata

from product_service.store.documents import NAME_KEY_LENGTH


def fold(name: str) -> str:
    """The form by which names are sorted: without case and accents."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in letters if not unicodedata.combining(c))[:NAME_KEY_LENGTH]
