"""From login to logout."""

from flask import Response, current_app, request

from libs.access.tokens import AccessTokens
from libs.values.pages import page_request
from libs.web.flask import Blueprint, caller, json_response
from user_service.api import schemas
from user_service.api.context import attempts, config, visitor
from user_service.domain.errors import SessionEnded
from user_service.domain.refresh_token import RefreshTokens
from user_service.queries import sessions as queries
from user_service.store.sessions import end_session
from user_service.use_cases import accounts, sessions

routes = Blueprint("sessions", __name__)


def _tokens(grant: sessions.Grant) -> Response:
    """The answer to a login or refresh. Where a second factor is required, roles count only with one."""
    tokens: AccessTokens = current_app.extensions["tokens"]
    user, needed = grant.user, config().staff_totp == "required"
    token = tokens.mint(
        user_id=str(user["_id"]),
        email=user["email"],
        username=user["username"],
        roles=user["roles"] if user.get("totp_secret") or not needed else [],
        sid=grant.sid,
        issued_at=grant.issued_at,
    )
    refresh_token = _refresh_tokens().mint(grant.sid, grant.number)
    answer = {"token": token, "expiresIn": tokens.lifetime_seconds, "refresh": refresh_token}
    return json_response(answer, headers={"Cache-Control": "no-store"})


def _refresh_tokens() -> RefreshTokens:
    return RefreshTokens(config().jwt_secret)


@routes.post("/login")
@routes.body(schemas.Login)
@routes.output(schemas.LoggedIn)
@routes.refuses(401, 429)
def login(body: schemas.Login) -> Response:
    """Get an access and a refresh token for an e-mail address, a password and, when the account has an authenticator, its code."""
    tries = sessions.Tries(attempts("login", body.email), attempts("code", body.email, everywhere=True))
    grant = sessions.log_in(
        email=body.email,
        password=body.password,
        code=body.code,
        visitor=visitor(),
        tries=tries,
        lifetime_seconds=config().refresh_token_seconds,
    )
    return _tokens(grant)


@routes.post("/token/refresh")
@routes.body(schemas.Refresh)
@routes.output(schemas.LoggedIn)
@routes.refuses(401)
def refresh(body: schemas.Refresh) -> Response:
    """Get the next pair of tokens. A refresh token works once: one that comes again ends the session."""
    sid, number = _refresh_tokens().read(body.refresh)
    return _tokens(sessions.refresh(sid=sid, number=number))


@routes.post("/logout")
@routes.body(schemas.Refresh)
@routes.output({}, status_code=204)
def logout(body: schemas.Refresh) -> Response:
    """End the session of a refresh token, whatever is left of it."""
    try:
        sid, _ = _refresh_tokens().read(body.refresh)
    except SessionEnded:
        return Response(status=204)
    end_session(sid)
    return Response(status=204)


@routes.get("/users/me/sessions")
@routes.requires()
@routes.query(schemas.PageQuery)
@routes.output(schemas.SessionPage)
def list_sessions(query: schemas.PageQuery) -> Response:
    """Where you are logged in, newest first."""
    accounts.own_account(caller=caller())
    wanted = page_request(sort="newest", key_types=[str], limit=query.limit, cursor=query.cursor)
    page = queries.list_sessions(wanted, user_id=caller().user_id, current=caller().sid)
    return json_response(page.render(request.url))


@routes.delete("/users/me/sessions")
@routes.requires()
@routes.output({}, status_code=204)
def end_sessions() -> Response:
    """Log out everywhere, here too."""
    sessions.end_own_sessions(caller=caller())
    return Response(status=204)


@routes.delete("/users/me/sessions/<sid>")
@routes.requires()
@routes.output({}, status_code=204)
def end_one_session(sid: str) -> Response:
    """Log out elsewhere."""
    sessions.end_own_session(caller=caller(), sid=sid)
    return Response(status=204)
