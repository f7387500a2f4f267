"""What the services require of a request that gunicorn's parser takes, and the body that the application gets."""

from typing import Any

from gunicorn.http.body import Body, LengthReader
from gunicorn.http.errors import InvalidHeader, UnsupportedTransferCoding
from gunicorn.http.unreader import IterUnreader

SINGLE_FIELDS = ("AUTHORIZATION", "IDEMPOTENCY-KEY")  # no lists (RFC 9110 5.3); the parser knows the other ones
FRAMING = ("TRANSFER-ENCODING", "CONTENT-LENGTH")


def require_fields(req: Any) -> None:
    """Raise gunicorn's error without a Host (RFC 9112 3.2), and for a repeated field: servers differ in which one counts.

    So too for a transfer coding besides chunked (RFC 9112 6.1).
    """
    names = [name for name, _ in req.headers]
    if req.version >= (1, 1) and "HOST" not in names:
        raise InvalidHeader("HOST")
    for name in SINGLE_FIELDS:
        if names.count(name) > 1:
            raise InvalidHeader(name)
    for name, value in req.headers:
        # Of `gzip, chunked` the application would read compressed bytes.
        if name == "TRANSFER-ENCODING" and value.lower() != "chunked":
            raise UnsupportedTransferCoding(value)


def set_body(req: Any, body: bytes, length: int) -> None:
    """Replace the body by `body`, and say that it has `length` bytes."""
    req.headers = [header for header in req.headers if header[0] not in FRAMING]
    req.headers.append(("CONTENT-LENGTH", str(length)))
    req.body = Body(LengthReader(IterUnreader([body]), len(body)))
