"""Which callers may use which route. Use cases check what depends on the order."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from order_service.api.authentication import caller_of, has_token


class IsSignedIn(BasePermission):
    """Any valid token, or a session of the desk."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated) and (has_token(request) or bool(caller_of(request).roles))


class IsCustomer(BasePermission):
    """Any valid token. A session of the desk has no account that an order could belong to."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return has_token(request)


class IsViewer(IsSignedIn):
    """Role viewer, by token or by session."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and caller_of(request).has_role("viewer")


class IsStaff(IsSignedIn):
    """Role staff, by token or by session."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and caller_of(request).has_role("staff")
