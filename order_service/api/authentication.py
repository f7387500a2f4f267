"""The caller of a request: the holder of an access token, or staff with a session of the desk."""

from typing import Any

from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.models import TokenUser
from rest_framework_simplejwt.tokens import AccessToken, Token

from libs.access.caller import Caller, caller_from_claims
from libs.access.revocations import Revocations
from libs.access.tokens import (
    MAX_TOKEN_BYTES,
    REQUIRED_CLAIMS,
    bearer_token,
    require_current,
    require_times,
    require_unexpired,
)
from libs.access.verified_tokens import VerifiedTokens
from libs.values.errors import NotAuthenticated
from order_service.store.worker_tables import stored_revocations

revocations = Revocations(stored_revocations.read)
"""The revocations that this process has read. A check reads new ones, once a second."""
verified = VerifiedTokens()
"""The tokens that this process has verified. Settings have one key, so there is one object."""


class StrictAccessToken(AccessToken):
    """The access token of simplejwt, with the claims that libs.access.tokens requires and a check for revocations."""

    def __init__(self, token: Token | None = None, verify: bool = True) -> None:
        """Read the token. Raises TokenError, also for claims at which the libraries fail otherwise."""
        try:
            super().__init__(token, verify)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise TokenError("claims of another type") from error

    def verify(self) -> None:
        """Check the claims, the times and the revocations. Raises TokenError."""
        if any(self.payload.get(claim) is None for claim in REQUIRED_CLAIMS):
            raise TokenError("a required claim is missing")
        try:
            require_times(self.payload)
            super().verify()
            caller = caller_from_claims(self.payload)
        except NotAuthenticated as error:
            raise TokenError("claims are not those of an access token") from error
        try:
            require_current(self.payload, revocations.now())
            revocations.check(caller)
        except NotAuthenticated as error:
            raise TokenError("the token is not of this time, or was revoked") from error


class TokenHolder(TokenUser):
    """The holder of an access token, as Django's templates and permissions see a user."""

    def __init__(self, caller: Caller) -> None:
        # The stubs require a Token. A mapping is enough, and quicker to make.
        super().__init__({"user_id": caller.user_id, "username": caller.username})  # type: ignore[arg-type]


class BearerAuthentication(JWTStatelessUserAuthentication):
    """The authentication of simplejwt, with the other services' rule for the header, and a limit on the token's size.

    It verifies a token once in a process. `request.auth` is the Caller.
    """

    def get_raw_token(self, header: bytes) -> bytes | None:
        """The token in an Authorization header, None for another scheme. Raises InvalidToken."""
        try:
            token = bearer_token(header.decode("latin-1"))
        except NotAuthenticated:
            raise InvalidToken from None  # the framework's error: it makes the request anonymous, also for the page of the error
        return None if token is None else token.encode()

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """The holder of the token in the header, and the caller. None without such a header. Raises InvalidToken."""
        header = self.get_header(request)
        raw_token = None if header is None else self.get_raw_token(header)
        if raw_token is None:
            return None
        caller = self._caller(raw_token)
        return TokenHolder(caller), caller

    def _caller(self, raw_token: bytes) -> Caller:
        try:
            if (known := verified.find(raw_token)) is not None:
                require_unexpired(known.expires_at, revocations.now())
                revocations.check(known.caller)
                return known.caller
        except NotAuthenticated as error:
            raise InvalidToken from error
        claims = self.get_validated_token(raw_token).payload
        caller = caller_from_claims(claims)
        verified.add(raw_token, caller, claims)
        return caller

    def get_validated_token(self, raw_token: bytes) -> Token:
        """Check the size, then the token. Raises InvalidToken."""
        if len(raw_token) > MAX_TOKEN_BYTES:
            raise InvalidToken
        return super().get_validated_token(raw_token)


def caller_of(request: Request) -> Caller:
    """The caller of an authenticated request."""
    caller: Any = request.auth
    return caller if isinstance(caller, Caller) else desk_caller(request.user)


def has_token(request: Request) -> bool:
    """True for an access token, False for a session."""
    return isinstance(request.auth, Caller)


def desk_caller(user: Any) -> Caller:
    """The Caller of a session of the desk: staff with the permission to change orders, else a viewer."""
    roles = ("staff",) if user.has_perm("orders.change_order") else ("viewer",) if user.is_staff else ()
    return Caller(user.get_username(), user.email, user.first_name or user.get_username(), roles)
