"""The views' pages for a browser: what they show beside the answer itself, and the forms that they take.

A page asks the same views as a client does, so it shows and does what JSON may. An error leaves the page where it is.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from order_service.api.authentication import caller_of, has_token
from order_service.api.permissions import Staff
from order_service.domain.errors import UnknownOrder
from order_service.domain.order_status import BEFORE, BY_STAFF
from order_service.queries import orders

REFUSED = (400, 409)  # what a form is answered with when it is to be shown again, with its order
FORMS_TOKEN = "csrfmiddlewaretoken"


class ListPage(APIView):
    """A list. The view sets `filters` as soon as it knows them, so that an error is shown in their form."""

    page = "api/orders.html"
    filters: Any = None

    def page_context(self, request: Request, data: Any, problem: Any) -> dict[str, Any]:
        """What the page shows."""
        return {"filters": self.filters}


class OrderPage(APIView):
    """One order, with what can be done to it. Forms are read where who calls is a session, with its CSRF token."""

    page = "api/order.html"
    form = ""  # the one that the view answers

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """With a parser of forms, unless a client sends a token."""
        made = super().initialize_request(request, *args, **kwargs)
        if "Authorization" not in request.headers:
            made.parsers = [*(made.parsers or ()), FormParser()]
        return made

    def page_context(self, request: Request, data: Any, problem: Any) -> dict[str, Any]:
        """What the page shows: after a refusal, the order as it is."""
        refused = problem and problem["status"] in REFUSED
        order = data
        if problem:
            order = self._find(request) if refused or problem["status"] == 405 else None
        steps: list[str] = []
        if order and Staff().has_permission(request, self):
            steps = [after for after, before in BEFORE.items() if order["status"] in before and after in BY_STAFF]
        return {"order": order, "steps": steps, "refused": self.form if refused else ""}

    def _find(self, request: Request) -> dict[str, Any] | None:
        try:
            return orders.get_order(caller_of(request), self.kwargs["order_id"])
        except UnknownOrder:
            return None

    def changed(self, request: Request, order: dict[str, Any]) -> HttpResponseBase:
        """The answer: the order, or for a form the way back to its page."""
        if not is_form(request):
            return Response(order)
        messages.success(request, f"Order {order['id']} is {order['status']} now")
        return redirect(f"/orders/{order['id']}")


def is_form(request: Request) -> bool:
    """True when a page's form was sent."""
    return not has_token(request) and (request.content_type or "").startswith(FormParser.media_type)


def body_of(request: Request) -> dict[str, Any]:
    """The fields that were sent."""
    sent: Any = request.data
    return {name: sent[name] for name in sent if name != FORMS_TOKEN} if is_form(request) else sent
