"""What staff changed about an account, and who did it. It holds no name, no address and no secret."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from ulid import ULID

from libs.values.times import rfc3339
from user_service.domain.user import User

COMMAND = "command"
"""The actor of a change from the command line."""

CHANGE_RETENTION = timedelta(days=400)  # a year, and time to look back at it

Changes = dict[str, list[object]]
"""By the names that clients see: `[before, after]`."""


class Action(StrEnum):
    """What staff did."""

    CREATED = "created"
    ENABLED = "enabled"
    DISABLED = "disabled"
    ROLES_CHANGED = "roles-changed"
    AUTHENTICATOR_APPROVED = "authenticator-approved"
    AUTHENTICATOR_REMOVED = "authenticator-removed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """One change of an account. `actor`: the id of the member of staff, or COMMAND."""

    id: str
    user_id: str
    at: datetime
    actor: str
    action: Action
    changes: Changes

    @classmethod
    def between(cls, before: User | None, after: User, *, action: Action, actor: str, at: datetime) -> Self:
        """The change that made `after` of `before`. Without `before` the account is new."""
        old, new = _fields(before) if before else {}, _fields(after)
        changes = {name: [old.get(name), value] for name, value in new.items() if old.get(name) != value}
        change_id = str(ULID.from_datetime(at))
        return cls(id=change_id, user_id=after.id, at=at, actor=actor, action=action, changes=changes)


def _fields(user: User) -> dict[str, object]:
    approved = user.approved_until
    return {
        "active": user.active,
        "roles": list(user.roles),
        "emailVerified": user.email_verified,
        "secondFactor": user.second_factor is not None,
        "approvedUntil": rfc3339(approved) if approved else None,
    }
