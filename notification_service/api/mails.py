"""What notification_service answers, and to whom."""

from typing import Literal

from flask import Response, current_app
from ulid import ULID

from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.values.schema import StrictModel
from libs.web.flask import Blueprint, caller, json_response
from notification_service.domain.errors import MailRefused, SmtpAway
from notification_service.events.consumed import Email
from notification_service.rendering.composer import Composer
from notification_service.smtp.mailer import Mailer

routes = Blueprint("mails", __name__)

PATIENCE_SECONDS = 4.0  # somebody waits for the answer, which is due within 5 s


class TestMail(StrictModel):
    to: Email | None = None


class TestMailSent(StrictModel):
    status: Literal["sent"]
    to: str
    message_id: str


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
    except (ServerUnavailable, TransientFailure) as away:
        raise SmtpAway(str(away)) from None
    except PermanentFailure as refused:
        raise MailRefused(str(refused)) from None
    return json_response({"status": "sent", "to": to, "messageId": mail.message_id}, 202)
