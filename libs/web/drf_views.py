"""The base of views for Django REST Framework. It is a module of its own, because the framework imports `drf` with its views."""

from functools import cache
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.views import APIView

from libs.web.bodies import MalformedBody, require_readable
from libs.web.parameters import require_single, single_values


class StrictView(APIView):
    """A view of clients. Each parameter of its query string is there once."""

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Django REST Framework's hook, as are the next ones. It makes new objects for each request; ours have no state."""
        return [*_made(tuple(self.authentication_classes))]

    def get_parsers(self) -> list[BaseParser]:
        """As in the framework."""
        return [*_made(tuple(self.parser_classes))]

    def perform_authentication(self, request: Request) -> None:
        """Django REST Framework's hook. Raises Repeated before the token is checked, as the Flask services do."""
        require_single(request.query_params.lists())
        super().perform_authentication(request)


@cache
def _made(classes: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(kind() for kind in classes)


def request_query(request: Request) -> dict[str, str]:
    """The query string. Raises Repeated, and Invalid for an empty parameter."""
    return single_values(request.query_params.lists())


def request_body(request: Request) -> dict[str, Any]:
    """The object of the body. Raises as the parser does, also without a body: the framework takes that for an empty object."""
    sent: Any = request.data
    if not int(request.META.get("CONTENT_LENGTH") or 0):
        if kind := request.META.get("CONTENT_TYPE"):
            require_readable(kind, request.META.get("HTTP_CONTENT_ENCODING"))
        raise MalformedBody("The JSON can't be read")
    return dict(sent)
