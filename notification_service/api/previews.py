"""Previews of the mails with sample data, for staff: JSON for programs, and a page for browsers.

A browser cannot send a bearer token with a page request. The sign-in form asks for a token and stores it in a cookie, until the
token ends. Scripts cannot read the cookie, and requests from other sites do not carry it.
"""

from flask import Response, g, render_template, request

from libs.web.flask import Blueprint, json_response, prefers_html
from libs.web.security_headers import POLICY
from notification_service.api import context, responses, schemas
from notification_service.api.sample_data import SAMPLES, Size
from notification_service.domain.errors import UnknownMail
from notification_service.domain.mail import Mail
from notification_service.domain.mail_kinds import KINDS

routes = Blueprint("previews", __name__)

COOKIE = "staff_token"
PAGE_POLICY = f"{POLICY}; frame-src 'self'"
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"  # a mail's styles are in its tags
)
DARK = "@media (prefers-color-scheme: dark)"
FORCED = {"light": "@media not all", "dark": "@media all"}  # whatever the browser itself prefers


def _compose(kind: str, sample: Size) -> Mail:
    """The mail of `kind` with sample data. Raises UnknownMail."""
    if kind not in KINDS:
        raise UnknownMail
    content = SAMPLES[sample][kind]
    return context.composer().compose(kind, event_id="sample", recipient="ada@example.com", content=content)


@routes.before_request
def _take_cookie() -> None:
    """Take the token from the cookie, for reading alone: so a request from another site cannot change anything by it."""
    if request.method == "GET" and "Authorization" not in request.headers and COOKIE in request.cookies:
        g.caller = context.tokens().check(request.cookies[COOKIE])


@routes.after_request
def _show_sign_in(response: Response) -> Response:
    """Show a browser the sign-in form instead of a 401 or 403 problem."""
    if response.status_code in (401, 403) and prefers_html():
        tried = COOKIE in request.cookies or request.method == "POST" or "Authorization" in request.headers
        docs = f"{str(context.config().user_service_url).rstrip('/')}/docs"
        response.set_data(render_template("sign_in.html", status=response.status_code, tried=tried, docs=docs))
        response.mimetype = "text/html"
    if prefers_html():
        response.headers["Cache-Control"] = "no-store"  # the sign-in form, too, which a browser gets without a token
    return response


@routes.get("/emails")
@routes.requires("viewer")
@routes.query(schemas.PageOptions)
@routes.output(responses.PreviewPage)
@routes.refuses(404)
def list_mails(query: schemas.PageOptions) -> Response:
    """Preview all kinds of mail with sample data: JSON, or a page for a browser that shows one of them."""
    mails = {kind: _compose(kind, query.sample) for kind in KINDS}
    if not prefers_html():
        return json_response(responses.to_preview_page(mails.values()))
    if query.kind not in mails:
        raise UnknownMail
    page = render_template("previews.html", mails=mails, mail=mails[query.kind], chosen=query.model_dump())
    return Response(page, mimetype="text/html", headers={"Content-Security-Policy": PAGE_POLICY})


@routes.get("/emails/<kind>")
@routes.requires("viewer")
@routes.query(schemas.PreviewOptions)
@routes.output(responses.Preview)
def show_mail(kind: str, query: schemas.PreviewOptions) -> Response:
    """One mail with sample data: JSON, or its HTML part for a browser."""
    mail = _compose(kind, query.sample)
    if not prefers_html():
        return json_response(responses.to_preview(mail))
    html = mail.html.replace(DARK, FORCED[query.scheme]).replace('content="light dark"', f'content="{query.scheme}"')
    headers = {"Content-Security-Policy": MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return Response(html, mimetype="text/html", headers=headers)


@routes.post("/emails/sign-in")
@routes.doc(hide=True)
def sign_in() -> Response:
    """Store the token from the form in a cookie, if it is a token of staff."""
    token = request.form.get("token", "").strip()
    context.tokens().check(token).require("viewer")
    response = Response(status=303, headers={"Location": "/emails"})
    response.set_cookie(COOKIE, token, path="/emails", httponly=True, samesite="Strict", secure=request.is_secure)
    return response
