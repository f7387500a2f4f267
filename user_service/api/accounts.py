"""Routes of accounts: registration, one's own account, and the accounts that staff manage."""

from flask import Response, request

from libs.values.errors import Invalid
from libs.values.pages import page_request
from libs.web.flask import Blueprint, caller, json_response
from user_service.api import responses, schemas
from user_service.api.context import (
    client_address,
    config,
    limiter,
    login_limits,
    mail_limits,
    rate_limit,
    require_sendable,
)
from user_service.domain.errors import UsernameTaken
from user_service.domain.user import User
from user_service.queries import account_changes, account_export, users
from user_service.use_cases import manage_account
from user_service.use_cases.accounts import change_password, delete_account, register_user, update_account

routes = Blueprint("users", __name__)


@routes.post("/register")
@routes.body(schemas.Register)
@routes.output(schemas.Registered, status_code=201)
@routes.refuses(409, 429)
def register(body: schemas.Register) -> Response:
    """Create an account."""
    rate_limit("register").enforce_hit()
    require_sendable(body.email)
    user = register_user.register_user(
        username=body.username,
        email=body.email,
        password=body.password,
        client_address=client_address(),
        shop_name=config().shop_name,
        limits=mail_limits(),
    )
    return json_response(responses.to_registered(user), 201)


@routes.get("/users/me")
@routes.requires()
@routes.output(schemas.UserOut)
def read_me() -> Response:
    """Read your own account."""
    return json_response(responses.to_public(users.get_own_account(caller=caller())))


@routes.patch("/users/me")
@routes.requires()
@routes.body(schemas.UpdateMe)
@routes.output(schemas.UserOut)
@routes.refuses(409, 429)
def update_me(body: schemas.UpdateMe) -> Response:
    """Change your username or, with your password, your e-mail address. A new address ends your access tokens but no session."""
    require_sendable(body.email)
    limit = rate_limit("register")  # a name that is taken shows as much as it does at a registration
    if body.username is not None:
        limit.enforce()
    try:
        return json_response(responses.to_public(_update(body)))
    except UsernameTaken:
        limit.hit()
        raise


def _update(body: schemas.UpdateMe) -> User:
    if body.email is None:
        if body.username is None:
            return users.get_own_account(caller=caller())
        return update_account.change_username(caller=caller(), username=body.username)
    if body.password is None:
        raise Invalid.field("password", "missing", "Enter your password to change the address")
    return update_account.change_email(
        caller=caller(),
        email=body.email,
        password=body.password,
        username=body.username,
        limits=login_limits(),
        mail_limits=mail_limits(),
    )


@routes.post("/users/me/delete")
@routes.requires()
@routes.body(schemas.DeleteMe)
@routes.output({}, status_code=204)
@routes.refuses(429)
def delete_me(body: schemas.DeleteMe) -> Response:
    """Delete your account with your password. Its data is erased, and its address and name are free again."""
    delete_account.delete_own_account(caller=caller(), password=body.password, limits=login_limits())
    return Response(status=204)


@routes.get("/users/me/export")
@routes.requires()
@routes.output(schemas.Export)
@routes.refuses(409, 429)
def export_me() -> Response:
    """Read all data that the shop keeps about you: account, sessions and orders. One export of an account runs at a time."""
    export, slot = account_export.export_account(
        caller=caller(),
        authorization=request.headers["Authorization"],
        order_service_url=str(config().order_service_url),
        limiter=limiter(),
    )
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    body = responses.stream_export(export, current=caller().sid)
    response = Response(body, headers=headers, mimetype="application/json")
    response.call_on_close(slot.release)  # also when the client leaves before the body begins
    return response


@routes.post("/users/me/password")
@routes.requires()
@routes.body(schemas.ChangePassword)
@routes.output({}, status_code=204)
@routes.refuses(429)
def change_my_password(body: schemas.ChangePassword) -> Response:
    """Change your password. All your sessions end. Log in again afterwards."""
    change_password.change_password(
        caller=caller(),
        current=body.current,
        new=body.new,
        limits=login_limits(),
        mail_limits=mail_limits(),
        shop_name=config().shop_name,
    )
    return Response(status=204)


@routes.get("/users")
@routes.requires("viewer")
@routes.query(schemas.UsersQuery)
@routes.output(schemas.UserPage)
def list_users(query: schemas.UsersQuery) -> Response:
    """Search accounts by the beginning of a username or e-mail address, newest first.

    A page with several filters may have fewer accounts than `limit`, or none: follow `next` until it is null.
    """
    page = users.list_users(
        page_request(sort="newest", key_types=[str], limit=query.limit, cursor=query.cursor),
        search=query.search,
        role=query.role,
        active=query.active,
    )
    return json_response(responses.to_user_page(page, request.url))


@routes.get("/users/<user_id:user_id>")
@routes.requires("viewer")
@routes.output(schemas.UserOut)
def read_user(user_id: str) -> Response:
    """Read one account."""
    return json_response(responses.to_public(users.get_user(user_id)))


@routes.get("/users/<user_id:user_id>/changes")
@routes.requires("viewer")
@routes.query(schemas.PageQuery)
@routes.output(schemas.ChangePage)
def list_changes(user_id: str, query: schemas.PageQuery) -> Response:
    """List what staff changed about an account, newest first."""
    position = page_request(sort="newest", key_types=[str], limit=query.limit, cursor=query.cursor)
    page = account_changes.list_changes(position, user_id=user_id)
    return json_response(responses.to_change_page(page, request.url))


@routes.patch("/users/<user_id:user_id>")
@routes.requires("staff")
@routes.body(schemas.PatchUser)
@routes.output(schemas.UserOut)
@routes.refuses(409)
def patch_user(user_id: str, body: schemas.PatchUser) -> Response:
    """Disable or enable an account (staff), or give it roles (admin)."""
    if (body.active is None) == (body.roles is None):
        raise Invalid.field("active", "one-of", "Send either active or roles")
    if body.roles is not None:
        user = manage_account.set_roles(caller=caller(), user_id=user_id, roles=body.roles)
    else:
        user = manage_account.set_active(caller=caller(), user_id=user_id, active=bool(body.active))
    return json_response(responses.to_public(user))


@routes.delete("/users/<user_id:user_id>")
@routes.requires("admin")
@routes.output({}, status_code=204)
@routes.refuses(409)
def delete_user(user_id: str) -> Response:
    """Delete an account. Its data is erased."""
    delete_account.delete_account(caller=caller(), user_id=user_id)
    return Response(status=204)
