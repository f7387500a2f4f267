"""Who changes an order: its customer, a member of staff, or the service itself."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind`: `customer`, `staff` or `saga` (the service itself, without a `user_id`)."""

    kind: str
    user_id: str = ""

    @classmethod
    def customer(cls, user_id: str) -> Self:
        """The customer of the order."""
        return cls("customer", user_id)

    @classmethod
    def staff(cls, user_id: str) -> Self:
        """A member of staff."""
        return cls("staff", user_id)

    def __str__(self) -> str:
        """As it is stored: `customer:ID`, `staff:ID` or `saga`."""
        return f"{self.kind}:{self.user_id}" if self.user_id else self.kind


SAGA = Actor("saga")
