"""What notification_service answers, and to whom."""

from typing import Literal

from flask import Response, current_app, render_template, request
from ulid import ULID

from chassis.flask import Blueprint, caller, json_response
from chassis.schemas import Body
from messaging.consumer import Refused, RetryLater, ServerAway
from notification_service.errors import MailRefused, SmtpAway
from notification_service.events import Email
from notification_service.mailer import Mailer
from notification_service.mails import KINDS, Composer
from notification_service.samples import SAMPLES

routes = Blueprint("mails", __name__)

PATIENCE_SECONDS = 4.0  # somebody waits for the answer, which is due within 5 s
PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'"


class TestMail(Body):
    to: Email | None = None


class TestMailSent(Body):
    status: Literal["sent"]
    to: str
    message_id: str


class Preview(Body):
    kind: str
    subject: str
    html: str
    text: str


class PreviewPage(Body):
    next: None
    previous: None
    results: list[Preview]


@routes.post("/test-email")
@routes.requires("staff")
@routes.body(TestMail)
@routes.output(TestMailSent, status_code=202)
@routes.refuses(422)
def send_test_mail(body: TestMail) -> Response:
    """Send a test mail, to yourself unless `to` says otherwise."""
    composer: Composer = current_app.extensions["composer"]
    mailer: Mailer = current_app.extensions["mailer"]
    to = body.to or caller().email
    mail = composer.compose("test", event_id=str(ULID()), to=to, values={"username": caller().username})
    try:
        mailer.send(mail, seconds=PATIENCE_SECONDS)
    except (ServerAway, RetryLater) as away:
        raise SmtpAway(str(away)) from None
    except Refused as refused:
        raise MailRefused(str(refused)) from None
    return json_response({"status": "sent", "to": to, "messageId": mail.message_id}, 202)


@routes.get("/emails")
@routes.requires("viewer")
@routes.output(PreviewPage)
def list_mails() -> Response:
    """Preview all kinds of mail with sample data: JSON, or a page for a browser."""
    composer: Composer = current_app.extensions["composer"]
    mails = [composer.compose(kind, event_id="sample", to="ada@example.com", values=SAMPLES[kind]) for kind in KINDS]
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        page = Response(render_template("previews.html", mails=mails), mimetype="text/html")
        page.headers["Content-Security-Policy"] = PREVIEW_POLICY
        return page
    results = [{"kind": m.kind, "subject": m.subject, "html": m.html, "text": m.text} for m in mails]
    return json_response({"next": None, "previous": None, "results": results})
