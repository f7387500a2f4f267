"""RFC 9457 problem details: the one shape of an error in HTTP, and the status of each kind of domain error."""

from collections.abc import Mapping
from http import HTTPStatus

from libs.values.errors import DomainError, ErrorKind, InvalidToken
from libs.web.bodies import UnsupportedCoding

PROBLEM_JSON = "application/problem+json"

STATUS: Mapping[ErrorKind, int] = {
    ErrorKind.INVALID: 400,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.MISSING: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.STALE: 412,
    ErrorKind.TOO_LARGE: 413,
    ErrorKind.WRONG_MEDIA_TYPE: 415,
    ErrorKind.IMPOSSIBLE: 422,
    ErrorKind.TOO_MANY: 429,
    ErrorKind.UNAVAILABLE: 503,
    ErrorKind.NO_ROOM: 507,
}
"""The status code of each kind."""


def problem(
    status: int,
    *,
    code: str = "",
    title: str = "",
    detail: str | None = None,
    instance: str,
    request_id: str,
    **extra: object,
) -> dict[str, object]:
    """The problem document. `code` and `title` default to the status's own phrase."""
    phrase = HTTPStatus(status).phrase
    code = code or phrase.lower().replace(" ", "-")
    body: dict[str, object] = {"type": f"/problems/{code}", "title": title or phrase, "status": status, "code": code}
    body |= {"detail": detail} if detail else {}
    return body | {"instance": instance, "requestId": request_id} | extra


def error_headers(error: DomainError) -> dict[str, str]:
    """The response headers that belong to `error`: RFC 6750 3, RFC 9110 15.5.16."""
    headers = {"Accept-Encoding": "identity"} if isinstance(error, UnsupportedCoding) else {}
    if error.kind is ErrorKind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"' if isinstance(error, InvalidToken) else "Bearer"
    elif error.kind is ErrorKind.FORBIDDEN:
        headers["WWW-Authenticate"] = 'Bearer error="insufficient_scope"'
    return headers | ({"Retry-After": str(error.retry_after_seconds)} if error.retry_after_seconds else {})


def error_problem(error: DomainError, *, instance: str, request_id: str) -> dict[str, object]:
    """The problem document of `error`."""
    return problem(
        STATUS[error.kind],
        code=error.code,
        title=error.title,
        detail=error.detail,
        instance=instance,
        request_id=request_id,
        **error.extra,
    )
