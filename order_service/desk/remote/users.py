"""/admin/users/: the shop's accounts; staff disable and enable them, as far as user_service lets them."""

from urllib.parse import quote

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from libs.access.caller import ROLES
from order_service.desk.remote.client import USERS, ask
from order_service.desk.remote.pages import (
    FilterForm,
    choice_filter,
    moment,
    read_list,
    read_one,
    render,
    require_staff,
    text_filter,
)

CHANGES = {"enable": (True, "enabled: they can log in again"), "disable": (False, "disabled: all their logins end now")}


class UserFilter(FilterForm):
    """As GET /users takes them."""

    search = text_filter("Beginning of e-mail address or username", 254)
    role = choice_filter("Role", {"": "any or none", **{role: role for role in ROLES}})
    active = choice_filter("State", {"": "any", "true": "active", "false": "disabled"})


def list_users(request: HttpRequest) -> HttpResponse:
    """The list."""
    shown = read_list(request, USERS, "/users", UserFilter(request.GET))
    shown["rows"] = [row | {"createdAt": moment(row["createdAt"])} for row in shown.get("rows", [])]
    return render(request, "desk/users.html", "Users", **shown)


def show_user(request: HttpRequest, user_id: str) -> HttpResponse:
    """One account. GET `?change=disable` asks whether that is meant, POST `change=disable` does it."""
    path = f"/users/{quote(user_id, safe='')}"
    if request.method == "POST":
        require_staff(request)
        return _change(request, user_id, path)
    user = read_one(request, USERS, path)
    if not isinstance(user, dict):
        return render(request, "desk/user.html", "User", unavailable=user.words)
    user |= {name: moment(user[name]) for name in ("createdAt", "updatedAt")}
    change = "disable" if user["active"] else "enable"
    asked = request.GET.get("change") == change
    return render(request, "desk/user.html", f"Account {user['username']}", account=user, change=change, asked=asked)


def _change(request: HttpRequest, user_id: str, path: str) -> HttpResponse:
    change = request.POST.get("change", "")
    if change not in CHANGES:
        raise BadRequest
    active, done = CHANGES[change]
    answer = ask(request, USERS, "PATCH", path, body={"active": active})
    if isinstance(answer, dict):
        messages.success(request, f"{answer['username']} is {done}")
    else:
        messages.error(request, answer.words)
    return redirect("desk-user", user_id)
