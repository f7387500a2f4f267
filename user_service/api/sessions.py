"""Routes of sessions: login, refresh, logout, and the list of one's own sessions."""

from datetime import timedelta

from flask import Response, request

from libs.values.pages import page_request
from libs.web.flask import Blueprint, caller, json_response
from user_service.api import responses, schemas
from user_service.api.context import (
    access_tokens,
    config,
    device,
    dummy_hashes,
    encryption,
    login_limits,
    second_factor_required,
)
from user_service.domain.session import TokenGrant
from user_service.queries import sessions, users
from user_service.use_cases.sign_in import log_in, log_out, refresh_session

routes = Blueprint("sessions", __name__)


def _token_response(grant: TokenGrant) -> Response:
    body = responses.to_token_pair(
        grant, tokens=access_tokens(), key=config().jwt_secret, second_factor_required=second_factor_required()
    )
    return json_response(body)


@routes.post("/login")
@routes.body(schemas.Login)
@routes.output(schemas.LoggedIn)
@routes.refuses(401, 429)
def login(body: schemas.Login) -> Response:
    """Get an access token and a refresh token. An account with an authenticator needs its code too."""
    grant = log_in.log_in(
        email=body.email,
        password=body.password,
        code=body.code,
        device=device(),
        limits=login_limits(),
        lifetime=timedelta(seconds=config().refresh_token_seconds),
        encryption=encryption(),
        dummies=dummy_hashes(),
    )
    return _token_response(grant)


@routes.post("/token/refresh")
@routes.body(schemas.Refresh)
@routes.output(schemas.LoggedIn)
@routes.refuses(401)
def refresh(body: schemas.Refresh) -> Response:
    """Get the next pair of tokens. Use each refresh token once.

    Within `REFRESH_GRACE` (10 s) the same refresh token gets the same successor again. A later use ends the session.
    """
    grace = timedelta(seconds=config().refresh_grace)
    return _token_response(refresh_session.refresh_session(text=body.refresh, key=config().jwt_secret, grace=grace))


@routes.post("/logout")
@routes.body(schemas.Refresh)
@routes.output({}, status_code=204)
def logout(body: schemas.Refresh) -> Response:
    """End the session of a refresh token, also of one that was used. The response to a wrong token is the same."""
    log_out.log_out(text=body.refresh, key=config().jwt_secret)
    return Response(status=204)


@routes.get("/users/me/sessions")
@routes.requires()
@routes.query(schemas.PageQuery)
@routes.output(schemas.SessionPage)
def list_sessions(query: schemas.PageQuery) -> Response:
    """List the sessions of your account, newest first."""
    user = users.get_own_account(caller=caller())
    position = page_request(sort="newest", key_types=[str], limit=query.limit, cursor=query.cursor)
    page = sessions.list_sessions(position, user_id=user.id)
    return json_response(responses.to_session_page(page, request.url, current=caller().sid))


@routes.delete("/users/me/sessions")
@routes.requires()
@routes.output({}, status_code=204)
def end_sessions() -> Response:
    """End all your sessions, this one too."""
    log_out.end_own_sessions(caller=caller())
    return Response(status=204)


@routes.delete("/users/me/sessions/<sid>")
@routes.requires()
@routes.output({}, status_code=204)
def end_one_session(sid: str) -> Response:
    """End one of your sessions."""
    log_out.end_own_session(caller=caller(), sid=sid)
    return Response(status=204)
