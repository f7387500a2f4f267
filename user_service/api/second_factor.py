"""Routes of the second factor: an authenticator besides the password."""

from flask import Response

from libs.web.flask import Blueprint, caller, json_response
from user_service.api import responses, schemas
from user_service.api.context import config, encryption, login_limits, second_factor_required
from user_service.use_cases.sign_in import add_second_factor, approve_second_factor, remove_second_factor

routes = Blueprint("second_factor", __name__)


@routes.post("/users/me/totp")
@routes.requires()
@routes.body(schemas.OfferTotp)
@routes.output(schemas.TotpOffer)
@routes.refuses(409, 429)
def offer_totp(body: schemas.OfferTotp) -> Response:
    """Get a secret for an authenticator. Confirm it by a code at `/users/me/totp/confirm`."""
    offer = add_second_factor.offer_second_factor(
        caller=caller(),
        password=body.password,
        issuer=config().shop_name,
        limits=login_limits(),
        second_factor_required=second_factor_required(),
        encryption=encryption(),
    )
    return json_response(responses.to_secret_offer(offer))


@routes.post("/users/me/totp/confirm")
@routes.requires()
@routes.body(schemas.ConfirmTotp)
@routes.output(schemas.RecoveryCodes)
@routes.refuses(409, 429)
def confirm_totp(body: schemas.ConfirmTotp) -> Response:
    """Confirm the authenticator by a code. Logins need a code afterwards.

    The response has recovery codes, which are shown this once. All your sessions end.
    """
    codes = add_second_factor.confirm_second_factor(
        caller=caller(),
        code=body.code,
        limits=login_limits(),
        second_factor_required=second_factor_required(),
        encryption=encryption(),
    )
    return json_response(responses.to_recovery_codes(codes))


@routes.post("/users/me/totp/remove")
@routes.requires()
@routes.body(schemas.RemoveTotp)
@routes.output({}, status_code=204)
@routes.refuses(409, 429)
def remove_totp(body: schemas.RemoveTotp) -> Response:
    """Remove your authenticator. All your sessions end."""
    remove_second_factor.remove_own_second_factor(
        caller=caller(), password=body.password, code=body.code, limits=login_limits(), encryption=encryption()
    )
    return Response(status=204)


@routes.post("/users/<user_id:user_id>/totp/approval")
@routes.requires("admin")
@routes.no_body
@routes.output({}, status_code=204)
@routes.refuses(400, 409, 413, 415)
def approve_totp_for(user_id: str) -> Response:
    """Let an account with roles set up one authenticator within 24 hours, where `STAFF_TOTP=required` asks for an approval."""
    approve_second_factor.approve_second_factor(caller=caller(), user_id=user_id)
    return Response(status=204)


@routes.delete("/users/<user_id:user_id>/totp")
@routes.requires("admin")
@routes.output({}, status_code=204)
@routes.refuses(409)
def remove_totp_for(user_id: str) -> Response:
    """Remove the authenticator of an account whose owner lost it."""
    remove_second_factor.remove_second_factor(caller=caller(), user_id=user_id, limits=login_limits())
    return Response(status=204)
