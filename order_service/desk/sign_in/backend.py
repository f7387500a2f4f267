"""Signing in with an account of user_service. Django keeps a row without a password for it: whom sessions and groups name."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest
from rest_framework_simplejwt.exceptions import TokenError

from libs.access.caller import ROLES, Caller, caller_from_claims
from order_service.api.authentication import StrictAccessToken
from order_service.desk.sign_in.staff_login import DeskSession
from order_service.desk.sign_in.user_service import Refused, sign_in


class UserServiceBackend(BaseBackend):
    """Asks user_service. A customer's account is refused as a wrong password is, unless its code is asked for."""

    def authenticate(
        self, request: HttpRequest | None, username: str = "", password: str = "", code: str = "", **_: Any
    ) -> User | None:
        """The row of the account. Raises Unavailable; Refused where another try with a code may help."""
        if request is None or "@" not in username:
            return None
        address, agent = str(request.META.get("REMOTE_ADDR", "")), request.headers.get("User-Agent", "")
        # a header goes into a header
        agent = "".join(c if c.isascii() and c.isprintable() else "?" for c in agent[:200])
        try:
            tokens = sign_in(email=username, password=password, code=code, address=address, agent=agent)
            claims = StrictAccessToken(tokens.access).payload  # type: ignore[arg-type] # the stubs want a Token
        except Refused as refused:
            if refused.code == "code-required":
                raise
            return None
        except TokenError:
            return None
        caller = caller_from_claims(claims)
        if not caller.has_role("viewer") or not (user := keep_account(caller)):
            return None
        DeskSession.of(claims, tokens).wait_in(request)
        return user

    def get_user(self, user_id: int) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()


def keep_account(caller: Caller) -> User | None:
    """Write down who signed in and with which roles: groups of the same names. None when a local account has that name."""
    columns = {"email": caller.email, "first_name": caller.username, "is_staff": True, "is_active": True}
    with transaction.atomic():
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
