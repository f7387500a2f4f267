"""Django's authentication with accounts of user_service.

Django keeps a row without a password for each account, to which sessions and groups refer.
"""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest
from rest_framework_simplejwt.exceptions import TokenError

from libs.access.caller import ROLES, Caller, caller_from_claims
from order_service.api.authentication import StrictAccessToken
from order_service.desk.sign_in.staff_login import StaffLogin
from order_service.desk.sign_in.user_service import LoginRefused, sign_in
from order_service.use_cases.customers.erase_customer import hold_account

MAX_AGENT_LENGTH = 200  # characters


class UserServiceBackend(BaseBackend):
    """Signs staff in through user_service. It refuses a customer's account exactly as it refuses a wrong password."""

    def authenticate(
        self, request: HttpRequest | None, username: str = "", password: str = "", code: str = "", **_: Any
    ) -> User | None:
        """The account's row, or None when it is refused. Raises Unavailable, and LoginRefused when a code is required."""
        if request is None or "@" not in username:
            return None
        address, agent = str(request.META.get("REMOTE_ADDR", "")), request.headers.get("User-Agent", "")
        # printable ASCII only, because it becomes a header of the login request
        agent = "".join(c if c.isascii() and c.isprintable() else "?" for c in agent[:MAX_AGENT_LENGTH])
        try:
            tokens = sign_in(email=username, password=password, code=code, address=address, agent=agent)
            token = StrictAccessToken(tokens.access)  # type: ignore[arg-type] # the stubs require a Token
        except LoginRefused as refused:
            if refused.code == "code-required":
                raise
            return None
        except TokenError:
            return None
        caller = caller_from_claims(token.payload)
        if not caller.has_role("viewer"):
            return None
        with transaction.atomic():  # holds the account until its tokens are stored
            user = upsert_account(caller)
            if user:
                StaffLogin.of(caller, tokens).attach(request)
        return user

    def get_user(self, user_id: int) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()


def upsert_account(caller: Caller) -> User | None:
    """Write the account's row and put it into the group of each of its roles.

    None when a local account has its name, or when the account was deleted since it signed in.
    """
    columns = {"email": caller.email, "first_name": caller.username, "is_staff": True, "is_active": True}
    with transaction.atomic():
        if not hold_account(user_id=caller.user_id):
            return None
        user, is_new = User.objects.get_or_create(username=caller.user_id, defaults=columns)
        if is_new:
            user.set_unusable_password()
        elif user.has_usable_password():
            return None
        for name, value in columns.items():
            setattr(user, name, value)
        user.is_superuser = False
        user.save()
        user.groups.set(Group.objects.filter(name__in=[role for role in ROLES if caller.has_role(role)]))
    return user
