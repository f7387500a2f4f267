"""The pages of the views for a browser: their context beside the response, and their forms.

A page uses the same views as a client, so it can show and do the same. After an error the page shows its form again.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response

from libs.web.drf_views import StrictView
from libs.web.parameters import require_single
from order_service.api.authentication import caller_of, has_token
from order_service.api.permissions import IsStaff
from order_service.api.responses import to_public
from order_service.domain.errors import UnknownOrder
from order_service.domain.order_status import BEFORE, BY_STAFF, Status
from order_service.queries.orders import get_order

REFUSED = (400, 409)  # statuses after which a form is shown again, with its order
FORMS_TOKEN = "csrfmiddlewaretoken"


class ListPage(StrictView):
    """A list. The view sets `filters` before it validates them, so that their form shows the errors."""

    page = "api/orders.html"
    filters: Any = None

    def page_context(self, request: Request, data: Any, problem: Any) -> dict[str, object]:
        """The context of the template."""
        return {"filters": self.filters}


class OrderPage(StrictView):
    """One order, with its actions. Only sessions may send forms, with a CSRF token."""

    page = "api/order.html"
    form = ""  # the name of the form that the view handles

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Django REST Framework's hook: add a parser of forms, unless a client sends a token."""
        made = super().initialize_request(request, *args, **kwargs)
        if "HTTP_AUTHORIZATION" not in request.META:
            made.parsers = [*(made.parsers or ()), FormParser()]
        return made

    def page_context(self, request: Request, data: Any, problem: Any) -> dict[str, object]:
        """The context of the template. After a refused form it has the current order."""
        refused = problem and problem["status"] in REFUSED
        order = data
        if problem:
            order = self._find(request) if refused or problem["status"] == 405 else None
        following: list[Status] = []
        if order and IsStaff().has_permission(request, self):
            following = [after for after, before in BEFORE.items() if order["status"] in before and after in BY_STAFF]
        steps = [status for status in following if status is not Status.CANCELLED]  # which asks first
        forms = {"steps": steps, "may_cancel": len(steps) < len(following)}
        return {"order": order, **forms, "refused": self.form if refused else ""}

    def _find(self, request: Request) -> dict[str, object] | None:
        try:
            return to_public(get_order(caller_of(request), self.kwargs["order_id"]))
        except UnknownOrder:
            return None

    def changed(self, request: Request, order: dict[str, object]) -> HttpResponseBase:
        """The response after a change: the order, or for a form a redirect to its page."""
        if not is_form(request):
            return Response(order)
        messages.success(request, f"Order {order['id']} is {order['status']} now")
        return redirect(f"/orders/{order['id']}")


def is_form(request: Request) -> bool:
    """True when the request is a form of a page."""
    return not has_token(request) and (request.content_type or "").startswith(FormParser.media_type)


def body_of(request: Request) -> dict[str, object]:
    """The fields of the body. Raises Repeated for a form that has a field twice."""
    sent: Any = request.data
    if not is_form(request):
        return dict(sent)
    require_single(sent.lists())
    return {name: sent[name] for name in sent if name != FORMS_TOKEN}
