"""The fence before the final dot: no mail is given to the SMTP server by a process that may not own its event any more.

The group gives partitions to other members when it has not heard from a member for a session (10 s). A member whose last contact
is younger than half a session has the rest of it for the answer (3 s) and for the record of the mail.
"""

import threading
import time
from collections.abc import Callable, Iterable

from notification_service.domain.failures import Fenced
from notification_service.worker.group_contact import SESSION_SECONDS, GroupContact

CONTACT_SECONDS = SESSION_SECONDS / 2
TURN_SECONDS = 0.1

Place = tuple[str, int]


class Fence:
    """Which partitions this member has, and which mails are past the fence. Safe to use from several threads."""

    def __init__(self, contact: GroupContact) -> None:
        self._contact, self._owned, self._changed = contact, frozenset[Place](), threading.Condition()
        self._past, self._generation, self._local = set[int](), 0, threading.local()

    @property
    def owned(self) -> frozenset[Place]:
        """The partitions that this member has."""
        return self._owned

    def owns(self, topic: str, partition: int) -> bool:
        """True while this member has the partition, and the mail that this thread began since then is still its own."""
        return (topic, partition) in self._owned

    def in_contact(self) -> bool:
        """False while no mail would pass."""
        return self._contact.age() < CONTACT_SECONDS

    def give(self, places: Iterable[Place]) -> None:
        """The group has given these partitions to this member. They are all that it has."""
        with self._changed:
            self._owned = frozenset(places)
            self._contact.forget()

    def take_away(self) -> None:
        """This member has no partition from now on. No mail that was begun before passes."""
        with self._changed:
            self._owned, self._generation = frozenset(), self._generation + 1

    def begin(self) -> None:
        """This thread begins a mail."""
        self._local.generation = self._generation

    def end(self) -> None:
        """The mail of this thread has an outcome, and its record or its parked record is written."""
        with self._changed:
            self._past.discard(threading.get_ident())
            self._changed.notify_all()

    def is_current(self, topic: str, partition: int) -> bool:
        """True while the partition was this member's without a break since this thread's `begin`."""
        return self.owns(topic, partition) and self._local.generation == self._generation

    def pass_(self, topic: str, partition: int) -> None:
        """Call it before the final dot. Raises Fenced."""
        with self._changed:
            if not self.is_current(topic, partition):
                raise Fenced("the group took the partition away")
            if not self.in_contact():
                raise Fenced("the group's coordinator was not heard for half a session")
            self._past.add(threading.get_ident())

    def await_outcomes(self, seconds: float, beat: Callable[[], None]) -> bool:
        """Return once no mail is past the fence without an outcome. False: there still is one after so many seconds."""
        end = time.monotonic() + seconds
        with self._changed:
            while self._past and time.monotonic() < end:
                beat()
                self._changed.wait(TURN_SECONDS)
            return not self._past
