"""The caller of a service, as the access token describes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from libs.values.errors import NotAllowed, NotAuthenticated

ROLES = ("viewer", "staff", "admin")  # each includes those before it
# No name and no address has such a character. A database stores no lone surrogate.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Characters that a claim has at most: no database of the shop stores more.
MAX_CHARACTERS = {"user_id": 64, "email": 254, "username": 64, "sid": 64}


@dataclass(frozen=True)
class Caller:
    """The caller of a service. `sid` names the session: all tokens that come from one login have the same.

    `email_verified`: the account's address was verified when the token was issued. `issued_at`: that time, in ms since the epoch.
    """

    user_id: str
    email: str
    username: str
    roles: tuple[str, ...] = ()
    sid: str | None = None
    email_verified: bool = False
    issued_at: int = field(default=0, compare=False)

    def has_role(self, role: str) -> bool:
        """True when one of the roles is `role` or a higher one."""
        return any(ROLES.index(mine) >= ROLES.index(role) for mine in self.roles if mine in ROLES)

    def require(self, role: str) -> None:
        """Raise NotAllowed without that role."""
        if not self.has_role(role):
            raise NotAllowed


def issued_at(claims: Mapping[str, Any]) -> int:
    """When the token with these claims was issued, in ms since the epoch."""
    return round(float(claims["iat"]) * 1000)


def caller_from_claims(claims: Mapping[str, object]) -> Caller:
    """The caller of a token whose signature and times are valid. Raises NotAuthenticated for malformed claims."""
    texts = [claims.get(name) for name in ("user_id", "email", "username")]
    roles, sid = claims.get("roles"), claims.get("sid")
    if not all(isinstance(t, str) and t for t in texts) or claims.get("sub") != claims.get("user_id"):
        raise NotAuthenticated
    if any(len(str(claims.get(name) or "")) > most for name, most in MAX_CHARACTERS.items()):
        raise NotAuthenticated
    if claims.get("token_type") != "access" or not isinstance(roles, list) or not set(map(str, roles)) <= set(ROLES):
        raise NotAuthenticated
    if sid is not None and not (isinstance(sid, str) and sid):
        raise NotAuthenticated
    verified = claims.get("email_verified", False)
    if not isinstance(verified, bool):
        raise NotAuthenticated
    user_id, email, username = map(str, texts)
    if CONTROL.search(f"{user_id}{email}{username}{sid}"):
        raise NotAuthenticated
    return Caller(user_id, email, username, tuple(roles), sid, verified, issued_at(claims))
