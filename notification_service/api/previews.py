"""The mails with sample data, for staff. The desk of order_service shows them. A browser without a token is led there."""

from urllib.parse import urljoin

from flask import Response, render_template

from libs.web.flask import Blueprint, json_response, prefers_html
from notification_service.api import context, responses, schemas
from notification_service.api.sample_data import SAMPLES, Size
from notification_service.domain.errors import UnknownMail
from notification_service.domain.mail import Mail
from notification_service.domain.mail_kinds import KINDS

routes = Blueprint("previews", __name__)

DARK = "@media (prefers-color-scheme: dark)"
FORCED = {"light": "@media not all", "dark": "@media all"}  # whatever the browser itself prefers


def _compose(kind: str, sample: Size) -> Mail:
    """The mail of `kind` with sample data. Raises UnknownMail."""
    if kind not in KINDS:
        raise UnknownMail
    content = SAMPLES[sample][kind]
    return context.composer().compose(kind, event_id="sample", recipient="ada@example.com", content=content)


@routes.after_request
def _lead_to_the_desk(response: Response) -> Response:
    """Show a browser a page in place of the 401 problem. It has no way to send a token with a page request."""
    if response.status_code == 401 and prefers_html():
        mails = urljoin(f"{str(context.config().desk_url).rstrip('/')}/", "emails/")
        response.set_data(render_template("at_the_desk.html", mails=mails))
        response.mimetype = "text/html"
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.get("/emails")
@routes.requires("viewer")
@routes.query(schemas.SampleOptions)
@routes.output(responses.PreviewPage)
def list_mails(query: schemas.SampleOptions) -> Response:
    """All kinds of mail with sample data."""
    return json_response(responses.to_preview_page(_compose(kind, query.sample) for kind in KINDS))


@routes.get("/emails/<kind>")
@routes.requires("viewer")
@routes.query(schemas.PreviewOptions)
@routes.output(responses.Preview)
@routes.refuses(404)
def show_mail(kind: str, query: schemas.PreviewOptions) -> Response:
    """One mail with sample data. With `scheme` its HTML part is light or dark, whatever the browser prefers."""
    preview = responses.to_preview(_compose(kind, query.sample))
    if query.scheme:
        scheme = f'content="{query.scheme}"'
        preview["html"] = preview["html"].replace(DARK, FORCED[query.scheme]).replace('content="light dark"', scheme)
    return json_response(preview)
