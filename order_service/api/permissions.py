"""Who may call which route; use cases check what depends on the order."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from order_service.api.authentication import caller_of, has_token


class SignedIn(BasePermission):
    """Any valid token; of the sessions, those of the desk."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated) and (has_token(request) or bool(caller_of(request).roles))


class Customer(BasePermission):
    """Any valid token: an order belongs to an account of the shop, and a session of the desk is none."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return has_token(request)


class Staff(SignedIn):
    """Role staff, by token or session."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and caller_of(request).has_role("staff")
