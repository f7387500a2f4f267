"""What user_service answers, and to whom: accounts here; logins, mailed links and second factors in the files beside."""

from flask import Response, request

from libs.values.errors import Invalid
from libs.values.pages import page_request
from libs.web.flask import Blueprint, caller, json_response
from user_service.api import schemas
from user_service.api.context import attempts, config
from user_service.queries import account_export, users
from user_service.use_cases import accounts

routes = Blueprint("users", __name__)


@routes.post("/register")
@routes.body(schemas.Register)
@routes.output(schemas.Registered, status_code=201)
@routes.refuses(409, 429)
def register(body: schemas.Register) -> Response:
    """Make an account."""
    attempts("register").count()
    user_id = accounts.register_user(username=body.username, email=body.email, password=body.password)
    return json_response({"status": "User created", "userId": user_id}, 201)


@routes.get("/users/me")
@routes.requires()
@routes.output(schemas.UserOut)
def read_me() -> Response:
    """Read your own account."""
    return json_response(users.to_public(accounts.own_account(caller=caller())))


@routes.patch("/users/me")
@routes.requires()
@routes.body(schemas.UpdateMe)
@routes.output(schemas.UserOut)
@routes.refuses(409)
def update_me(body: schemas.UpdateMe) -> Response:
    """Change your username or e-mail address."""
    user = accounts.update_own_account(caller=caller(), username=body.username, email=body.email)
    return json_response(users.to_public(user))


@routes.delete("/users/me")
@routes.requires()
@routes.output({}, status_code=204)
def delete_me() -> Response:
    """Leave: the account is anonymised, its address and name are free again."""
    accounts.delete_own_account(caller=caller())
    return Response(status=204)


@routes.get("/users/me/export")
@routes.requires()
@routes.output(schemas.Export)
def export_me() -> Response:
    """Read everything the shop keeps about you: account, sessions and orders."""
    who, header = caller(), request.headers["Authorization"]
    kept = account_export.export_account(caller=who, authorization=header, order_service_url=config().order_service_url)
    return json_response(kept, headers={"Content-Disposition": 'attachment; filename="my-data.json"'})


@routes.post("/users/me/password")
@routes.requires()
@routes.body(schemas.ChangePassword)
@routes.output({}, status_code=204)
@routes.refuses(429)
def change_password(body: schemas.ChangePassword) -> Response:
    """Change your password. All your sessions end: log in again."""
    who = caller()
    accounts.change_password(caller=who, current=body.current, new=body.new, attempts=attempts("login", who.email))
    return Response(status=204)


@routes.get("/users")
@routes.requires("viewer")
@routes.query(schemas.UsersQuery)
@routes.output(schemas.UserPage)
def list_users(query: schemas.UsersQuery) -> Response:
    """Search accounts by the beginning of a username or e-mail address, newest first."""
    wanted = page_request(sort="newest", key_types=[str], limit=query.limit, cursor=query.cursor)
    page = users.list_users(wanted, search=query.search, role=query.role, active=query.active)
    return json_response(page.render(request.url))


@routes.get("/users/<user_id>")
@routes.requires("viewer")
@routes.output(schemas.UserOut)
def read_user(user_id: str) -> Response:
    """Read one account."""
    return json_response(users.get_user(user_id))


@routes.patch("/users/<user_id>")
@routes.requires("staff")
@routes.body(schemas.PatchUser)
@routes.output(schemas.UserOut)
@routes.refuses(409)
def patch_user(user_id: str, body: schemas.PatchUser) -> Response:
    """Disable or enable an account (staff), or give it roles (admin)."""
    if (body.active is None) == (body.roles is None):
        raise Invalid.field("active", "one-of", "Send either active or roles")
    if body.roles is not None:
        user = accounts.set_roles(caller=caller(), user_id=user_id, roles=body.roles)
    else:
        user = accounts.set_active(caller=caller(), user_id=user_id, active=bool(body.active))
    return json_response(users.to_public(user))


@routes.delete("/users/<user_id>")
@routes.requires("admin")
@routes.output({}, status_code=204)
@routes.refuses(409)
def delete_user(user_id: str) -> Response:
    """Anonymise an account."""
    accounts.delete_user(caller=caller(), user_id=user_id)
    return Response(status=204)
