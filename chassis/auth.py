"""Access tokens: signed by user_service, checked by every service, by one set of rules.

HS256 with a shared secret. RFC 8725 3.1 (one algorithm, never the token's choice), 3.9-3.11 (audience, issuer, type).
PyJWT alone accepts a token without exp and only warns of a short key; the options below close both.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from pydantic import SecretStr
from ulid import ULID

from chassis.errors import NotAllowed, NotAuthenticated

ALGORITHM = "HS256"
REQUIRED_CLAIMS = ("exp", "iat", "sub", "iss", "aud", "jti")
LEEWAY_SECONDS = 30
MAX_TOKEN_BYTES = 4096
ROLES = ("viewer", "staff", "admin")  # each holds the ones before it


@dataclass(frozen=True)
class Caller:
    """Who calls, as the token says."""

    user_id: str
    email: str
    username: str
    roles: tuple[str, ...] = ()
    sid: str | None = None  # the session: all tokens that come from one login

    def has_role(self, role: str) -> bool:
        """True when one of the roles is `role` or a higher one."""
        return any(ROLES.index(mine) >= ROLES.index(role) for mine in self.roles if mine in ROLES)

    def require(self, role: str) -> None:
        """Raise NotAllowed without that role."""
        if not self.has_role(role):
            raise NotAllowed


def caller_from_claims(claims: Mapping[str, Any]) -> Caller:
    """The Caller of a token whose signature and times were checked. Raises NotAuthenticated for odd claims."""
    texts = [claims.get(name) for name in ("user_id", "email", "username")]
    roles, sid = claims.get("roles"), claims.get("sid")
    if not all(isinstance(t, str) and t for t in texts) or claims.get("sub") != claims.get("user_id"):
        raise NotAuthenticated
    if claims.get("token_type") != "access" or not isinstance(roles, list) or not set(map(str, roles)) <= set(ROLES):
        raise NotAuthenticated
    if sid is not None and not (isinstance(sid, str) and sid):
        raise NotAuthenticated
    user_id, email, username = map(str, texts)
    return Caller(user_id, email, username, tuple(roles), sid)


def now_ms() -> int:
    """The present in milliseconds since the epoch, rounded down."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Tokens:
    """Mints and checks access tokens with one key."""

    secret: SecretStr
    issuer: str
    audience: str
    lifetime_seconds: int = 900
    refuse_revoked: Callable[[Mapping[str, Any]], None] = lambda claims: None  # raises NotAuthenticated

    def mint(
        self,
        *,
        user_id: str,
        email: str,
        username: str,
        roles: Sequence[str],
        sid: str | None = None,
        issued_at: int | None = None,
    ) -> str:
        """A signed access token. `issued_at` in ms: when the account was looked at, for what ends its tokens after that
        moment ends this one too (default: now)."""
        now = (now_ms() if issued_at is None else issued_at) / 1000
        claims: dict[str, Any] = {"user_id": user_id, "sub": user_id, "email": email, "username": username}
        claims |= {"roles": list(roles), "token_type": "access", "jti": str(ULID()), "iss": self.issuer}
        claims |= {"aud": self.audience, "iat": now, "exp": int(now) + self.lifetime_seconds}
        claims |= {"sid": sid} if sid else {}
        return jwt.encode(claims, self.secret.get_secret_value(), algorithm=ALGORITHM)

    def check(self, token: str) -> Caller:
        """The caller of a valid token. Raises NotAuthenticated, whatever is wrong; the database's errors go through."""
        if len(token) > MAX_TOKEN_BYTES:
            raise NotAuthenticated
        try:
            claims = jwt.decode(
                token,
                self.secret.get_secret_value(),
                algorithms=[ALGORITHM],
                issuer=self.issuer,
                audience=self.audience,
                leeway=LEEWAY_SECONDS,
                options={"require": list(REQUIRED_CLAIMS), "enforce_minimum_key_length": True},
            )
        except (jwt.PyJWTError, ValueError, OverflowError) as error:
            raise NotAuthenticated from error
        caller = caller_from_claims(claims)
        self.refuse_revoked(claims)
        return caller

    def check_header(self, authorization: str | None) -> Caller:
        """The caller of an `Authorization: Bearer …` header. Raises NotAuthenticated."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.casefold() != "bearer" or not token.strip():
            raise NotAuthenticated
        return self.check(token.strip())
