"""Django's handler of requests, which takes those of clients past the middleware of pages.

Sessions, CSRF tokens, users, messages and static files are for pages. A client of the API sends its token with each request and
uses none of them (docs/adr/0052).
"""

from typing import Any, cast

from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse

API = "/orders"
SCHEMES = ("Bearer ", "bearer ")  # as the setting AUTH_HEADER_TYPES has them


def is_of_client(request: HttpRequest) -> bool:
    """True for a request to the API with an access token, unless it asks for a page."""
    sent = request.META
    has_token = sent.get("HTTP_AUTHORIZATION", "").startswith(SCHEMES)
    return has_token and request.path_info.startswith(API) and "text/" not in sent.get("HTTP_ACCEPT", "")


class ClientPath(BaseHandler):
    """The first middleware of the settings, RequestMiddleware, is for all requests. The others are for pages."""

    def load_middleware(self, is_async: bool = False) -> None:
        """Django's hook. It makes the chain of middleware."""
        super().load_middleware(is_async)
        handler: Any = self  # the stubs leave out the two attributes
        first = handler._middleware_chain.__wrapped__
        pages, view = first.get_response, convert_exception_to_response(handler._get_response)

        def respond(request: HttpRequest) -> HttpResponse:
            if not is_of_client(request):
                return cast(HttpResponse, pages(request))
            response = cast(HttpResponse, view(request))
            response.headers.setdefault("Content-Length", str(len(response.content)))  # as CommonMiddleware does
            return response

        first.get_response = respond


class Handler(ClientPath, WSGIHandler):
    """The handler of the web process."""
