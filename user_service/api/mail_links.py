"""What mailed links lead to: two routes that ask for mails' tokens, and the two small pages that show them to people."""

from flask import Response, make_response, render_template

from libs.web.flask import Blueprint, json_response
from user_service.api import schemas
from user_service.api.context import attempts, config
from user_service.use_cases import mail_links

routes = Blueprint("mailed", __name__)
pages = Blueprint("pages", __name__, enable_openapi=False)


@routes.post("/password-reset")
@routes.body(schemas.PasswordReset)
@routes.output(schemas.Accepted, status_code=202)
def request_reset(body: schemas.PasswordReset) -> Response:
    """Have a link mailed that sets a new password. The answer is the same whether there is such an account or not."""
    if attempts("reset", body.email).take():
        mail_links.request_reset(email=body.email)
    return json_response({"status": "accepted"}, 202)


@routes.post("/password-reset/confirm")
@routes.body(schemas.NewPassword)
@routes.output({}, status_code=204)
def reset_password(body: schemas.NewPassword) -> Response:
    """Set a new password with the token of a mail. All sessions end."""
    mail_links.reset_password(token=body.token, password=body.password)
    return Response(status=204)


@routes.post("/verify-email")
@routes.body(schemas.VerifyEmail)
@routes.output({}, status_code=204)
def verify_email(body: schemas.VerifyEmail) -> Response:
    """Verify an e-mail address with the token of a mail."""
    mail_links.verify_email(token=body.token)
    return Response(status=204)


@pages.get("/password-reset")
def show_password_reset() -> Response:
    """The page of a "Reset your password" mail."""
    return _page("password_reset.html")


@pages.get("/verify-email")
def show_verify_email() -> Response:
    """The page of a "Verify your e-mail address" mail: a button, for mail scanners open links too."""
    return _page("verify_email.html")


def _page(template: str) -> Response:
    """A page whose address holds a token: it is not kept, and not told to anybody."""
    page = make_response(render_template(template, shop=config().shop_name))
    page.headers["Cache-Control"] = "no-store"
    page.headers["Referrer-Policy"] = "no-referrer"
    return page
