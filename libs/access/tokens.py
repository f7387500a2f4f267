"""Access tokens (JWT): user_service signs them, every service checks them by the same rules.

HS256 with a shared secret. RFC 8725 3.1 (one algorithm, never the token's choice), 3.9-3.11 (audience, issuer, type).
By default PyJWT accepts a token without exp and only warns of a short key. The options below make both an error.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jwt
from jwt.types import Options
from pydantic import SecretStr
from ulid import ULID

from libs.access.caller import Caller, caller_from_claims
from libs.access.revocations import Revocations
from libs.access.verified_tokens import VerifiedTokens
from libs.values.errors import InvalidToken, NotAuthenticated
from libs.values.times import MAX_TIME_MS, now_ms

ALGORITHM = "HS256"
REQUIRED_CLAIMS = ("exp", "iat", "sub", "iss", "aud", "jti")
MAX_TOKEN_BYTES = 4096
LEEWAY_SECONDS = 30  # by which the clocks of two databases may differ
OPTIONS: Options = {
    "require": list(REQUIRED_CLAIMS),
    "enforce_minimum_key_length": True,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}
"""PyJWT leaves the times to `require_current`: it would compare them with the host's clock."""
TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 9110 11.2


def bearer_token(authorization: str | None) -> str | None:
    """The access token in an Authorization header, None for another scheme or none. Raises InvalidToken for what is no token.

    RFC 9110 11.4: the scheme ignores case, and one or more spaces follow it.
    """
    scheme, _, rest = (authorization or "").strip(" \t").partition(" ")
    if scheme.split("\t")[0].lower() != "bearer":
        return None
    if not TOKEN68.fullmatch(token := rest.lstrip(" ")):
        raise InvalidToken
    return token


def require_times(claims: Mapping[str, Any]) -> None:
    """Raise NotAuthenticated unless each time is a number of seconds from 1970 to 9999 (NumericDate of RFC 7519).

    The libraries accept text and numbers that are no date, and fail later.
    """
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < MAX_TIME_MS / 1000:
            raise NotAuthenticated


def require_current(claims: Mapping[str, Any], now: float) -> None:
    """Raise NotAuthenticated for a token that has expired at the time `now` (seconds since the epoch), or is of the future."""
    require_unexpired(int(claims["exp"]), now)
    if max(claims["iat"], claims.get("nbf", 0)) > now + LEEWAY_SECONDS:
        raise NotAuthenticated


def require_unexpired(expires_at: int, now: float) -> None:
    """Raise NotAuthenticated when `expires_at` has passed at the time `now`. Both are in seconds since the epoch."""
    if expires_at <= now - LEEWAY_SECONDS:
        raise NotAuthenticated


@dataclass(frozen=True)
class AccessTokens:
    """Mints and checks access tokens with one key. `revocations` knows the tokens that were revoked, and the time.

    A token is verified once in a process. Each check compares its `exp` and its revocations with the present.
    """

    secret: SecretStr
    issuer: str
    audience: str
    lifetime_seconds: int = 900
    revocations: Revocations = field(default_factory=Revocations, repr=False, compare=False)
    verified: VerifiedTokens = field(default_factory=VerifiedTokens, init=False, repr=False, compare=False)

    def mint(
        self,
        *,
        user_id: str,
        email: str,
        username: str,
        roles: Sequence[str],
        email_verified: bool = False,
        sid: str | None = None,
        issued_at: int | None = None,
    ) -> str:
        """A signed access token. `issued_at` (ms since the epoch, default now) is the moment when the account was read: a later
        revocation voids this token too."""
        now = (now_ms() if issued_at is None else issued_at) / 1000
        claims: dict[str, object] = {"user_id": user_id, "sub": user_id, "email": email, "username": username}
        claims |= {"roles": list(roles), "email_verified": email_verified, "token_type": "access"}
        claims |= {"jti": str(ULID()), "iss": self.issuer}
        claims |= {"aud": self.audience, "iat": now, "exp": int(now) + self.lifetime_seconds}
        claims |= {"sid": sid} if sid else {}
        return jwt.encode(claims, self.secret.get_secret_value(), algorithm=ALGORITHM)

    def check(self, token: str) -> Caller:
        """The caller of a valid token. Raises NotAuthenticated for every fault, and the errors of the revocations' database."""
        if len(token) > MAX_TOKEN_BYTES:
            raise NotAuthenticated
        raw = token.encode(errors="surrogatepass")
        if (known := self.verified.find(raw)) is not None:
            require_unexpired(known.expires_at, self.revocations.now())
            self.revocations.check(known.caller)
            return known.caller
        claims = self._verify(token)
        caller = caller_from_claims(claims)
        require_current(claims, self.revocations.now())
        self.revocations.check(caller)
        self.verified.add(raw, caller, claims)
        return caller

    def _verify(self, token: str) -> Mapping[str, Any]:
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                self.secret.get_secret_value(),
                algorithms=[ALGORITHM],
                issuer=self.issuer,
                audience=self.audience,
                options=OPTIONS,
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise NotAuthenticated from error
        require_times(claims)
        return claims

    def check_header(self, authorization: str | None) -> Caller:
        """The caller of an `Authorization: Bearer …` header. Raises NotAuthenticated without one, and InvalidToken."""
        if (token := bearer_token(authorization)) is None:
            raise NotAuthenticated
        try:
            return self.check(token)
        except NotAuthenticated:
            raise InvalidToken from None
