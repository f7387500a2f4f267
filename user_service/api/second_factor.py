"""An authenticator beside the password."""

from flask import Response

from libs.web.flask import Blueprint, caller, json_response
from user_service.api import schemas
from user_service.api.context import attempts, config
from user_service.use_cases import second_factor

routes = Blueprint("second_factor", __name__)


@routes.post("/users/me/totp")
@routes.requires()
@routes.body(schemas.OfferTotp)
@routes.output(schemas.TotpOffer)
@routes.refuses(409, 429)
def offer_totp(body: schemas.OfferTotp) -> Response:
    """Get a secret for an authenticator. It counts once `/users/me/totp/confirm` was shown a code of it."""
    who = caller()
    offer = second_factor.offer(
        caller=who, password=body.password, issuer=config().shop_name, attempts=attempts("login", who.email)
    )
    return json_response({"secret": offer.secret, "uri": offer.uri}, headers={"Cache-Control": "no-store"})


@routes.post("/users/me/totp/confirm")
@routes.requires()
@routes.body(schemas.ConfirmTotp)
@routes.output(schemas.RecoveryCodes)
@routes.refuses(409)
def confirm_totp(body: schemas.ConfirmTotp) -> Response:
    """Show a code: from now on a login needs one. Answers recovery codes, once; all your sessions end."""
    codes = second_factor.confirm(caller=caller(), code=body.code)
    return json_response({"recoveryCodes": codes}, headers={"Cache-Control": "no-store"})


@routes.post("/users/me/totp/remove")
@routes.requires()
@routes.body(schemas.RemoveTotp)
@routes.output({}, status_code=204)
@routes.refuses(409, 429)
def remove_totp(body: schemas.RemoveTotp) -> Response:
    """Take your authenticator off. All your sessions end."""
    who = caller()
    second_factor.remove(
        caller=who,
        password=body.password,
        code=body.code,
        attempts=attempts("login", who.email),
        codes=attempts("code", who.email, everywhere=True),
    )
    return Response(status=204)


@routes.delete("/users/<user_id>/totp")
@routes.requires("admin")
@routes.output({}, status_code=204)
@routes.refuses(409)
def remove_totp_for(user_id: str) -> Response:
    """Take the authenticator off the account of somebody who lost theirs."""
    second_factor.remove_for(caller=caller(), user_id=user_id)
    return Response(status=204)
