"""ETags and the conditions that clients build on them (RFC 9110, 8.8.3 and 13.1)."""

from flask import request

from product_service.models import RawProduct, etag_of


def etag_header(product: RawProduct) -> dict[str, str]:
    """The response header that names the present state."""
    return {"ETag": f'"{etag_of(product)}"'}


def is_unchanged(product: RawProduct) -> bool:
    """True when If-None-Match holds the present state; weak comparison."""
    return request.if_none_match.contains_weak(etag_of(product))


def sent_if_match() -> frozenset[str] | None:
    """The tags in If-Match, or None when every state will do: no header, or `*`.

    If-Match compares strongly: a weak tag, as a tag that can't be read, matches nothing.
    """
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    return frozenset(tag for tag in request.if_match.as_set() if tag)
