"""The page of one order and its three forms: status, note and mail. Each form is a POST to an address of its own."""

from collections.abc import Callable, Iterable
from functools import wraps

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from libs.values.errors import DomainError, Invalid
from order_service.api.authentication import desk_caller
from order_service.desk.model_admin import DeskAdmin, error_text
from order_service.desk.orders.forms import MailForm, NoteForm, StatusForm
from order_service.desk.sign_in import unsent
from order_service.domain.errors import UnknownOrder
from order_service.domain.order import ShippingAddress
from order_service.domain.order_status import BEFORE, Status
from order_service.queries.orders import get_order
from order_service.queries.timeline import Entry, read_timeline
from order_service.store import models
from order_service.use_cases.mails.resend_mail import KIND_OF, resend_mail
from order_service.use_cases.orders.add_note import add_note
from order_service.use_cases.orders.set_order_status import set_order_status

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
    """The page. `forms_` are forms that were sent with errors. Raises PermissionDenied, Http404."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    try:
        order = get_order(desk_caller(request.user), order_id)
    except UnknownOrder:
        raise Http404 from None
    timeline = read_timeline(order_id)
    may_act = page.has_act_permission(request)
    context = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "title": f"Order {order_id}",
        "original": models.Order(id=order_id),  # for the link to the list in the page's head
        "order": order,
        "status": order.status,
        "address": _address_lines(order.shipping_address) if order.shipping_address else [],
        "entries": [(ICONS[entry.kind], entry, _trace_link(entry)) for entry in reversed(timeline)],
        "notes": [entry for entry in timeline if entry.kind == "note"],
        "may_act": may_act,
        "steps": [step for step in STEPS if order.status in BEFORE[step[0]]] if may_act else [],
        "note_form": forms_.get("note") or NoteForm(initial=unsent.typed(request)),
        "mail_form": forms_.get("mail") or MailForm(kinds=_mails(timeline)),
    }
    request.current_app = page.admin_site.name
    response = TemplateResponse(request, "desk/order.html", context)
    unsent.discard(request, response)
    return response


def _trace_link(entry: Entry) -> str:
    """The address of the page of the entry's trace; empty without one, and without TRACE_URL."""
    if not (settings.TRACE_URL and entry.trace_id):
        return ""
    return str(settings.TRACE_URL).replace("{traceId}", entry.trace_id)


def _address_lines(address: ShippingAddress) -> list[str]:
    """The address as on a letter."""
    town = " ".join(filter(None, (address.postal_code, address.city)))
    return [line for line in (address.name, address.line1, address.line2, town, address.country) if line]


def _mails(timeline: Iterable[Entry]) -> list[tuple[str, str]]:
    """The mails of the changes that the order has had, as kinds and titles."""
    return [(KIND_OF[entry.status], MAILS[entry.status]) for entry in timeline if entry.status]


def _guarded(view: View) -> View:
    """Guard a form: POST only, staff only, an existing order only. A refusal by the use case becomes a message on the page."""

    @wraps(view)
    def guarded(page: DeskAdmin, request: HttpRequest, order_id: str) -> HttpResponse:
        if request.method in ("GET", "HEAD"):  # by a sign-in that leads back to the form, or by "back"
            return _back(order_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
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


@_guarded
def status(page: DeskAdmin, request: HttpRequest, order_id: str) -> HttpResponse:
    """Set the order's next status."""
    form = StatusForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"Order {order_id}: {form.errors['status'][0]} Nothing was changed.")
        return _back(order_id)
    result = set_order_status(caller=desk_caller(request.user), order_id=order_id, status=form.chosen)
    if result.is_changed:
        messages.success(request, f"Order {order_id} is {form.chosen.value} now")
    else:
        messages.warning(request, f"Order {order_id} was {form.chosen.value} before. Nothing was changed.")
    return _back(order_id)


@_guarded
def note(page: DeskAdmin, request: HttpRequest, order_id: str) -> HttpResponse:
    """Add a note."""
    form = NoteForm(request.POST)
    if not form.is_valid():
        return show_order(page, request, order_id, note=form)
    try:
        add_note(caller=desk_caller(request.user), order_id=order_id, text=form.cleaned_data["text"])
    except Invalid as invalid:
        for row in invalid.errors:
            form.add_error("text", row["message"])
        return show_order(page, request, order_id, note=form)
    messages.success(request, "The note was added")
    return _back(order_id)


@_guarded
def mail(page: DeskAdmin, request: HttpRequest, order_id: str) -> HttpResponse:
    """Resend a mail."""
    form = MailForm(request.POST, kinds=_mails(read_timeline(order_id)))
    if not form.is_valid():
        return show_order(page, request, order_id, mail=form)
    resend_mail(caller=desk_caller(request.user), order_id=order_id, kind=form.cleaned_data["kind"])
    messages.success(request, "The mail will be resent")
    return _back(order_id)


FORMS: dict[str, View] = {"status": status, "note": note, "mail": mail}
"""The last part of each form's address, and its view."""


def bind(view: View, page: DeskAdmin) -> Callable[..., HttpResponse]:
    """The view with the admin page as its first argument, for the admin site."""
    return lambda request, order_id: view(page, request, order_id)
