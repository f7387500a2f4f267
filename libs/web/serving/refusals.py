"""Responses to requests that never reach the application: a problem document that repeats nothing of the request."""

from http import HTTPStatus

import orjson
from gunicorn.http.errors import (  # type: ignore[attr-defined] # the stubs are older than gunicorn 27
    ConfigurationProblem,
    ExpectationFailed,
    ForbiddenProxyRequest,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from ulid import ULID

from libs.runtime.logs import get_logger
from libs.web.problems import PROBLEM_JSON, problem
from libs.web.security_headers import HEADERS

log = get_logger(__name__)

STATUSES: dict[type[BaseException], int] = {
    ForbiddenProxyRequest: 403,
    LimitRequestLine: 414,
    ExpectationFailed: 417,
    LimitRequestHeaders: 431,
    UnsupportedTransferCoding: 501,  # RFC 9112 6.1
}
"""Errors of gunicorn's parser that have a status of their own. The others are 400."""
OURS = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)
"""Errors of the parser's classes that are no fault of the client."""


def status_of(error: BaseException) -> int:
    """The status of the response to an error of gunicorn. One that is not the client's is logged, and 500."""
    if isinstance(error, ParseException) and not isinstance(error, OURS):
        return STATUSES.get(type(error), 400)
    log.error("request failed", exc_info=error)
    return 500


def refusal(status: int) -> bytes:
    """The response to a request that never reached the application. It closes the connection."""
    request_id = str(ULID())
    log.info("request refused", status=status, request_id=request_id)
    body = orjson.dumps(problem(status, instance="/", request_id=request_id))
    fields = {**HEADERS, "X-Request-ID": request_id, "Content-Type": PROBLEM_JSON, "Content-Length": str(len(body))}
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Connection: close",
        *(f"{n}: {v}" for n, v in fields.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
