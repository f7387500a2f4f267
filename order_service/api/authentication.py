"""Who calls: the holder of an access token, or staff with a session of the admin pages."""

from typing import Any

from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.tokens import AccessToken, Token

from libs.access.caller import Caller, caller_from_claims
from libs.access.tokens import MAX_TOKEN_BYTES, REQUIRED_CLAIMS
from libs.values.errors import NotAuthenticated
from order_service.store.revocations import revocations


class StrictAccessToken(AccessToken):
    """simplejwt's access token, with the claims that libs.access.tokens requires, unless it was revoked."""

    def verify(self) -> None:
        """Raises TokenError."""
        super().verify()
        try:
            caller_from_claims(self.payload)
        except NotAuthenticated as error:
            raise TokenError("claims are not those of an access token") from error
        if not all(self.payload.get(claim) for claim in REQUIRED_CLAIMS):
            raise TokenError("a required claim is missing")
        try:
            revocations.check(self.payload)
        except NotAuthenticated as error:
            raise TokenError("the token was revoked") from error


class BearerAuthentication(JWTStatelessUserAuthentication):
    """simplejwt's, with a limit on the token's size; new revocations are read once a second."""

    def get_validated_token(self, raw_token: bytes) -> Token:
        """Raises InvalidToken."""
        if len(raw_token) > MAX_TOKEN_BYTES:
            raise InvalidToken
        return super().get_validated_token(raw_token)


def caller_of(request: Request) -> Caller:
    """The caller of an authenticated request."""
    token: Any = request.auth
    return caller_from_claims(token.payload) if has_token(request) else desk_caller(request.user)


def has_token(request: Request) -> bool:
    """True for an access token, False for a session."""
    return isinstance(request.auth, Token)


def desk_caller(user: Any) -> Caller:
    """The Caller behind a session: staff when they may change orders, else a viewer if they may see the desk at all."""
    roles = ("staff",) if user.has_perm("orders.change_order") else ("viewer",) if user.is_staff else ()
    return Caller(user.get_username(), user.email, user.first_name or user.get_username(), roles)
