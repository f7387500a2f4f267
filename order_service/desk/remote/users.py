"""/admin/users/: the shop's accounts, which staff disable and enable as far as user_service allows it."""

from datetime import datetime
from urllib.parse import quote

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from libs.access.caller import ROLES
from order_service.desk.once import PERSONAL
from order_service.desk.remote.client import USERS, RemoteModel, RemoteUnavailable, call_service
from order_service.desk.remote.pages import (
    FilterForm,
    RemotePage,
    choice_filter,
    read_list,
    read_one,
    render,
    require_staff,
    text_filter,
)

CHANGES = {"enable": (True, "enabled: they can log in again"), "disable": (False, "disabled: all their logins end now")}


class Account(RemoteModel):
    """An account as user_service sends it."""

    id: str
    username: str
    email: str
    email_verified: bool
    roles: tuple[str, ...]
    active: bool
    created_at: datetime
    updated_at: datetime


class UserFilter(FilterForm):
    """The filters of GET /users."""

    search = text_filter("Beginning of e-mail address or username", 254)
    role = choice_filter("Role", {"": "any or none", **{role: role for role in ROLES}})
    active = choice_filter("State", {"": "any", "true": "active", "false": "disabled"})


def list_users(request: HttpRequest) -> HttpResponse:
    """The list."""
    form = UserFilter(request.GET)
    listing = read_list(request, USERS, "/users", RemotePage[Account], form)
    return render(request, "desk/users.html", "Users", form=form, listing=listing, unavailable=listing.unavailable)


def show_user(request: HttpRequest, user_id: str) -> HttpResponse:
    """One account. GET `?change=disable` shows a form that confirms the change, POST `change=disable` makes it."""
    path = f"/users/{quote(user_id, safe='')}"
    if request.method == "POST":
        require_staff(request)
        return _change(request, user_id, path)
    account = read_one(request, USERS, path, Account)
    if isinstance(account, RemoteUnavailable):
        return render(request, "desk/user.html", "User", unavailable=account.text)
    change = "disable" if account.active else "enable"
    confirm = request.GET.get("change") == change
    title = f"Account {account.username}"
    return render(request, "desk/user.html", title, account=account, change=change, confirm=confirm)


def _change(request: HttpRequest, user_id: str, path: str) -> HttpResponse:
    change = request.POST.get("change", "")
    if change not in CHANGES:
        raise BadRequest
    active, done = CHANGES[change]
    outcome = call_service(request, USERS, "PATCH", path, Account, body={"active": active})
    if isinstance(outcome, Account):
        messages.success(request, f"{outcome.username} is {done}", extra_tags=PERSONAL)
    else:
        messages.error(request, outcome.text)
    return redirect("desk-user", user_id)
