"""RFC 9457 problem details: the one shape of an error on the wire."""

from http import HTTPStatus
from typing import Any

PROBLEM_JSON = "application/problem+json"


def problem(
    status: int,
    *,
    code: str = "",
    title: str = "",
    detail: str | None = None,
    instance: str,
    request_id: str,
    **extra: Any,
) -> dict[str, Any]:
    """The problem document; `code` and `title` default to the status's own phrase."""
    phrase = HTTPStatus(status).phrase
    code = code or phrase.lower().replace(" ", "-")
    body = {"type": f"/problems/{code}", "title": title or phrase, "status": status, "code": code}
    body |= {"detail": detail} if detail else {}
    return body | {"instance": instance, "requestId": request_id} | extra
