"""Mail links: two routes that request one, two routes that use the token of one, and the two pages that the links open."""

from flask import Response, make_response, render_template

from libs.web.flask import Blueprint, caller, json_response
from user_service.api import responses, schemas
from user_service.api.context import config, login_limits, mail_limits, rate_limit
from user_service.use_cases.accounts import request_verification, reset_password, verify_email

routes = Blueprint("mail_links", __name__)
pages = Blueprint("pages", __name__, enable_openapi=False)


@routes.post("/password-reset")
@routes.body(schemas.PasswordReset)
@routes.output(schemas.Accepted, status_code=202)
def request_reset(body: schemas.PasswordReset) -> Response:
    """Request a mail link to set a new password. The response is the same for an unknown address."""
    if rate_limit("reset", body.email).hit():
        reset_password.request_reset(email=body.email, limits=mail_limits())
    return json_response(responses.to_accepted(), 202)


@routes.post("/password-reset/confirm")
@routes.body(schemas.NewPassword)
@routes.output({}, status_code=204)
def set_new_password(body: schemas.NewPassword) -> Response:
    """Set a new password with the token of a mail link. All sessions end."""
    reset_password.reset_password(
        token=body.token, password=body.password, limits=login_limits(), shop_name=config().shop_name
    )
    return Response(status=204)


@routes.post("/verify-email")
@routes.body(schemas.VerifyEmail)
@routes.output({}, status_code=204)
def verify_address(body: schemas.VerifyEmail) -> Response:
    """Verify an e-mail address with the token of a mail link."""
    verify_email.verify_email(token=body.token)
    return Response(status=204)


@routes.post("/users/me/verify-email")
@routes.requires()
@routes.body(schemas.Empty)
@routes.output(schemas.Accepted, status_code=202)
@routes.refuses(409)
def send_verification(body: schemas.Empty) -> Response:
    """Send the mail again that verifies your e-mail address. Earlier links work until one is used."""
    request_verification.request_verification(caller=caller(), limits=mail_limits())
    return json_response(responses.to_accepted(), 202)


@pages.get("/password-reset")
def show_password_reset() -> Response:
    """The page of a "Reset your password" mail."""
    return _page("password_reset.html")


@pages.get("/verify-email")
def show_verify_email() -> Response:
    """The page of a "Verify your e-mail address" mail. It has a button, because mail scanners open links too."""
    return _page("verify_email.html")


def _page(template: str) -> Response:
    """A page whose address has a token. Browsers don't store the page and send its address to no other site."""
    page = make_response(render_template(template, shop=config().shop_name))
    page.headers["Cache-Control"] = "no-store"
    page.headers["Referrer-Policy"] = "no-referrer"
    return page
