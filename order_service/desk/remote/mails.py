"""/admin/emails/: each kind of mail with sample data, as notification_service composes it.

A mail has its styles in its tags. So its HTML part is a page of its own, with a policy that allows styles and nothing else, in a
frame without rights.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from libs.web.security_headers import POLICY
from order_service.desk.remote.client import MAILS, RemoteModel, RemoteRefusal, RemoteUnavailable, call_service
from order_service.desk.remote.pages import read_one, render

PAGE_POLICY = f"{POLICY}; frame-src 'self'"
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
CHOICES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "part": ("Part", {"html": "HTML", "text": "Text"}),
    "width": ("Width", {"desktop": "Desktop", "phone": "Phone"}),
    "scheme": ("Colours", {"light": "Light", "dark": "Dark"}),
    "sample": ("Sample data", {"usual": "Usual", "large": "Large"}),
}
"""The parameters of the page: their titles and values. The first value is the default."""
OF_HTML = ("width", "scheme")


class Mail(RemoteModel):
    """A mail as notification_service sends it."""

    kind: str
    subject: str
    html: str
    text: str


class MailList(RemoteModel):
    """All mails, on one page."""

    results: tuple[Mail, ...]


@require_safe
def list_mails(request: HttpRequest) -> HttpResponse:
    """All kinds of mail, and one of them."""
    chosen = {name: _chosen(request, name) for name in CHOICES}
    found = read_one(request, MAILS, f"/emails?{urlencode({'sample': chosen['sample']})}", MailList)
    if isinstance(found, RemoteUnavailable):
        return render(request, "desk/mails.html", "Mails", unavailable=found.text)
    kind = request.GET.get("kind") or found.results[0].kind
    mail = next((mail for mail in found.results if mail.kind == kind), None)
    if mail is None:
        raise Http404
    links = [(other, urlencode({**chosen, "kind": other.kind})) for other in found.results]
    source = urlencode({name: chosen[name] for name in ("sample", "scheme")})
    switches = _switches(kind, chosen)
    context = {"links": links, "mail": mail, "chosen": chosen, "switches": switches, "source": source}
    response = render(request, "desk/mails.html", "Mails", **context)
    response["Content-Security-Policy"] = PAGE_POLICY
    return response


@require_safe
def show_mail(request: HttpRequest, kind: str) -> HttpResponse:
    """The HTML part of one mail, for the frame."""
    query = {name: _chosen(request, name) for name in ("sample", "scheme")}
    found = call_service(request, MAILS, "GET", f"/emails/{kind}", Mail, query=query)
    if isinstance(found, RemoteRefusal):
        raise Http404
    if isinstance(found, RemoteUnavailable):
        response = HttpResponse(found.text, content_type="text/plain; charset=utf-8")
    else:
        response = HttpResponse(found.html)
    response["Content-Security-Policy"], response["X-Frame-Options"] = MAIL_POLICY, "SAMEORIGIN"
    return response


def _chosen(request: HttpRequest, name: str) -> str:
    """The value of a parameter, or its default in place of an unknown one."""
    values = CHOICES[name][1]
    given = request.GET.get(name, "")
    return given if given in values else next(iter(values))


def _switches(kind: str, chosen: Mapping[str, str]) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """The titles of the parameters, each with its values: text, query of the link, and True for the chosen one."""
    return [
        (
            title,
            [
                (text, urlencode({"kind": kind, **chosen, name: value}), chosen[name] == value)
                for value, text in values.items()
            ],
        )
        for name, (title, values) in CHOICES.items()
        if chosen["part"] == "html" or name not in OF_HTML
    ]
