"""The page of one order, and what its buttons do. Each form is a POST of its own; a mistake in it is shown at its field."""

from collections.abc import Callable
from functools import wraps

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from libs.values.errors import DomainError, Invalid
from order_service.api.authentication import desk_caller
from order_service.desk.model_admin import DeskAdmin, error_text
from order_service.desk.orders.forms import MailForm, NoteForm, StatusForm
from order_service.domain.errors import UnknownOrder
from order_service.domain.order_status import BEFORE
from order_service.events.published import EVENT_OF
from order_service.queries.timeline import read_timeline
from order_service.store.models import Order, RawOrder, Status
from order_service.store.orders import read_order
from order_service.use_cases.correspondence import add_note, request_mail
from order_service.use_cases.orders import set_status

View = Callable[[DeskAdmin, HttpRequest, str], HttpResponse]
STEPS = (
    (Status.SHIPPED, "Ship", "local_shipping"),
    (Status.DELIVERED, "Mark as delivered", "home"),
    (Status.CANCELLED, "Cancel the order", "block"),
)
MAILS = {
    Status.PENDING: "Order confirmation",
    Status.CONFIRMED: "Reserved",
    Status.REJECTED: "Could not be filled",
    Status.SHIPPED: "On its way",
    Status.DELIVERED: "Delivered",
    Status.CANCELLED: "Cancelled",
}
ICONS = {"change": "swap_horiz", "event": "bolt", "mail": "mail", "request": "forward_to_inbox", "note": "note"}


def show_order(page: DeskAdmin, request: HttpRequest, order_id: str, **forms_: forms.Form) -> HttpResponse:
    """The page, with the forms that were sent and not good. Raises PermissionDenied, Http404."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    if not (order := read_order(order_id)):
        raise Http404
    timeline = read_timeline(order_id)
    may_act = page.has_act_permission(request)
    context = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "title": f"Order {order_id}",
        "original": Order(id=order_id),  # for the way up in the page's head
        "order": order,
        "status": Status(order["status"]),
        "address": _address(order),
        "entries": [(ICONS[entry.kind], entry) for entry in reversed(timeline)],
        "notes": [entry for entry in timeline if entry.kind == "note"],
        "may_act": may_act,
        "steps": [step for step in STEPS if order["status"] in BEFORE[step[0]]] if may_act else [],
        "note_form": forms_.get("note") or NoteForm(),
        "mail_form": forms_.get("mail") or MailForm(kinds=_kinds(order)),
    }
    request.current_app = page.admin_site.name
    return TemplateResponse(request, "desk/order.html", context)


def _address(order: RawOrder) -> list[str]:
    """Its lines, as on a letter."""
    address = order["shipping_address"] or {}
    town = " ".join(filter(None, (address.get("postalCode"), address.get("city"))))
    return [line for line in (*map(address.get, ("name", "line1", "line2")), town, address.get("country")) if line]


def _kinds(order: RawOrder) -> list[tuple[str, str]]:
    """The mails that an order with this status has had, as far as the way to it tells."""
    passed = [Status(order["status"])]
    while len(before := BEFORE.get(passed[0], frozenset())) == 1:
        passed.insert(0, *before)
    if passed[0] is not Status.PENDING:  # cancelled: from one of two
        passed.insert(0, Status.PENDING)
    return [(EVENT_OF[status].topic, MAILS[status]) for status in passed]


def _acting(view: View) -> View:
    """A POST of somebody who may act, on an order that is there; a refusal of the use case is told, and nothing was changed."""

    @wraps(view)
    def guarded(page: DeskAdmin, request: HttpRequest, order_id: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not page.has_act_permission(request):
            raise PermissionDenied
        try:
            return view(page, request, order_id)
        except UnknownOrder:
            raise Http404 from None
        except DomainError as error:
            messages.error(request, f"Order {order_id}: {error_text(error)}. Nothing was changed.")
        return _back(order_id)

    return guarded


def _back(order_id: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order_id]))


@_acting
def move(page: DeskAdmin, request: HttpRequest, order_id: str) -> HttpResponse:
    """Move the order on."""
    form = StatusForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"Order {order_id}: {form.errors['status'][0]} Nothing was changed.")
        return _back(order_id)
    set_status(caller=desk_caller(request.user), order_id=order_id, status=form.chosen)
    messages.success(request, f"Order {order_id} is {form.chosen.value} now")
    return _back(order_id)


@_acting
def note(page: DeskAdmin, request: HttpRequest, order_id: str) -> HttpResponse:
    """Add a note."""
    form = NoteForm(request.POST)
    if not form.is_valid():
        return show_order(page, request, order_id, note=form)
    try:
        add_note(caller=desk_caller(request.user), order_id=order_id, text=form.cleaned_data["text"])
    except Invalid as invalid:
        for row in invalid.extra["errors"]:
            form.add_error("text", row["message"])
        return show_order(page, request, order_id, note=form)
    messages.success(request, "The note was added")
    return _back(order_id)


@_acting
def mail(page: DeskAdmin, request: HttpRequest, order_id: str) -> HttpResponse:
    """Send a mail again."""
    if not (order := read_order(order_id)):
        raise UnknownOrder
    form = MailForm(request.POST, kinds=_kinds(order))
    if not form.is_valid():
        return show_order(page, request, order_id, mail=form)
    request_mail(caller=desk_caller(request.user), order_id=order_id, kind=form.cleaned_data["kind"])
    messages.success(request, "The mail will be sent again")
    return _back(order_id)


FORMS: dict[str, View] = {"status": move, "note": note, "mail": mail}
"""The last part of each form's address, and what answers there."""


def bind(view: View, page: DeskAdmin) -> Callable[..., HttpResponse]:
    """A view of the admin site."""
    return lambda request, order_id: view(page, request, order_id)
