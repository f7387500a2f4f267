"""The route that sends a test mail."""

from flask import Response

from libs.values.schema import validated
from libs.web.flask import Blueprint, caller, json_response
from notification_service.api import context, responses, schemas
from notification_service.use_cases import send_test_mail as use_case

routes = Blueprint("mails", __name__)


@routes.post("/test-email")
@routes.requires("staff")
@routes.body(schemas.TestMail)
@routes.output(responses.TestMailSent, status_code=202)
@routes.refuses(422, 429)
def send_test_mail(body: schemas.TestMail) -> Response:
    """Send a test mail to `to`, or to your own address."""
    recipient = body.to or validated(schemas.OwnAddress, {"to": caller().email}).to
    mail = use_case.send_test_mail(
        composer=context.composer(),
        mailer=context.mailer(),
        limit=context.send_mail().limit,
        recipient=recipient,
        username=caller().username,
    )
    return json_response(responses.to_test_mail_sent(mail), 202)
