"""The mails with sample data, for staff: JSON for programs, and in a browser a page that shows one at a time as people get it.

A browser sends no bearer token of its own. It is asked for one once, and keeps it in a cookie that no script and no other site can
use, until the token ends. This service needs no other one for that: it checks the token as it checks any.
"""

from typing import Annotated, Literal

from flask import Response, current_app, g, render_template, request
from pydantic import Field

from libs.access.tokens import AccessTokens
from libs.values.schema import StrictModel, StrictQuery
from libs.web.flask import Blueprint, json_response
from libs.web.security_headers import POLICY
from notification_service.api.sample_data import SAMPLES, Size
from notification_service.config import Config
from notification_service.domain.errors import UnknownMail
from notification_service.domain.mail import Mail
from notification_service.domain.mail_kinds import KINDS
from notification_service.rendering.composer import Composer

routes = Blueprint("previews", __name__)

COOKIE = "staff_token"
PAGE_POLICY = f"{POLICY}; frame-src 'self'"
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"  # a mail's styles are in its tags
)
DARK = "@media (prefers-color-scheme: dark)"
FORCED = {"light": "@media not all", "dark": "@media all"}  # whatever the browser itself prefers


class Look(StrictQuery):
    """How a mail is shown."""

    sample: Size = "usual"
    scheme: Literal["light", "dark"] = "light"


class Chosen(Look):
    """What the page shows; JSON has all of it."""

    kind: Annotated[str, Field(max_length=64)] = next(iter(KINDS))
    part: Literal["html", "text"] = "html"
    width: Literal["desktop", "phone"] = "desktop"


class Preview(StrictModel):
    kind: str
    subject: str
    html: str
    text: str


class PreviewPage(StrictModel):
    next: None
    previous: None
    results: list[Preview]


def _is_browser() -> bool:
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def _compose(kind: str, sample: Size) -> Mail:
    """Raises UnknownMail."""
    if kind not in KINDS:
        raise UnknownMail
    composer: Composer = current_app.extensions["composer"]
    return composer.compose(kind, event_id="sample", to="ada@example.com", values=SAMPLES[sample][kind])


def _public(mail: Mail) -> dict[str, str]:
    return {"kind": mail.kind, "subject": mail.subject, "html": mail.html, "text": mail.text}


@routes.before_request
def _take_cookie() -> None:
    """The cookie stands in for the header where a browser reads, and only there: no other site can act with it."""
    if request.method == "GET" and "Authorization" not in request.headers and COOKIE in request.cookies:
        tokens: AccessTokens = current_app.extensions["tokens"]
        g.caller = tokens.check(request.cookies[COOKIE])


@routes.after_request
def _show_door(answer: Response) -> Response:
    """A browser that is refused is told in words, and asked for a token."""
    if answer.status_code in (401, 403) and _is_browser():
        config: Config = current_app.extensions["web"]
        tried = COOKIE in request.cookies or request.method == "POST" or "Authorization" in request.headers
        docs = f"{str(config.user_service_url).rstrip('/')}/docs"
        answer.set_data(render_template("door.html", status=answer.status_code, tried=tried, docs=docs))
        answer.mimetype = "text/html"
    if _is_browser():
        answer.headers["Cache-Control"] = "no-store"
    return answer


@routes.get("/emails")
@routes.requires("viewer")
@routes.query(Chosen)
@routes.output(PreviewPage)
@routes.refuses(404)
def list_mails(query: Chosen) -> Response:
    """Preview all kinds of mail with sample data: JSON, or a page for a browser that shows one of them."""
    if _is_browser():
        mails = {kind: _compose(kind, query.sample) for kind in KINDS}
        if query.kind not in mails:
            raise UnknownMail
        page = render_template("previews.html", mails=mails, mail=mails[query.kind], chosen=query.model_dump())
        return Response(page, mimetype="text/html", headers={"Content-Security-Policy": PAGE_POLICY})
    results = [_public(_compose(kind, query.sample)) for kind in KINDS]
    return json_response({"next": None, "previous": None, "results": results})


@routes.get("/emails/<kind>")
@routes.requires("viewer")
@routes.query(Look)
@routes.output(Preview)
def show_mail(kind: str, query: Look) -> Response:
    """One mail with sample data: JSON, or its HTML part for a browser."""
    mail = _compose(kind, query.sample)
    if not _is_browser():
        return json_response(_public(mail))
    html = mail.html.replace(DARK, FORCED[query.scheme]).replace('content="light dark"', f'content="{query.scheme}"')
    headers = {"Content-Security-Policy": MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return Response(html, mimetype="text/html", headers=headers)


@routes.post("/emails/sign-in")
@routes.doc(hide=True)
def sign_in() -> Response:
    """Keep the token that a browser was given, if it is one of staff."""
    tokens: AccessTokens = current_app.extensions["tokens"]
    token = request.form.get("token", "").strip()
    tokens.check(token).require("viewer")
    answer = Response(status=303, headers={"Location": "/emails"})
    answer.set_cookie(COOKIE, token, path="/emails", httponly=True, samesite="Strict", secure=request.is_secure)
    return answer
