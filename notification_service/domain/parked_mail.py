"""Parked mails: mails that the SMTP server put off, mails in doubt, and mails that wait behind one of them.

A pause follows each try. The sum of the pauses counts, not the time: an outage or a restart uses up none of it. Times are
milliseconds since the epoch.
"""

import random
from dataclasses import dataclass, replace
from typing import Literal, Self

State = Literal["later", "doubt", "behind"]

JITTER = 0.1


def vary(seconds: float) -> float:
    """`seconds`, 10 % more or less: mails that were put off together are not tried together."""
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When parked mails are tried again.

    `pauses`: after each put-off, in seconds. The last one is repeated until the sum of all is `total_seconds`.
    `doubt_pauses`: before each repeat of a mail in doubt. `answer_seconds`: how long an answer to the final dot may take.
    """

    pauses: tuple[float, ...]
    total_seconds: float
    doubt_pauses: tuple[float, ...]
    answer_seconds: float

    def pause_after(self, tries: int) -> float | None:
        """The seconds to wait after so many tries that were put off. None: the mail was tried for long enough."""
        total = sum(self._nominal(number) for number in range(tries))
        return None if total > self.total_seconds else vary(self._nominal(tries - 1))

    def doubt_pause_after(self, doubts: int) -> float | None:
        """The seconds to wait before the repeat of a mail that was in doubt so many times. None: it is not repeated."""
        return self.doubt_pauses[doubts - 1] if doubts <= len(self.doubt_pauses) else None

    def _nominal(self, number: int) -> float:
        return self.pauses[min(number, len(self.pauses) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMail:
    """A parked mail without its event.

    `topic`, `partition`: where its event came from. `ordering_key`: the mails of a key are sent in the order of `sequence`.
    `since`: when it was parked first. `due`: when it is tried next. `tries`, `doubts`: how often it was put off, and in doubt.
    `offset`: of its newest record in topic mail-parked, -1 before it has one.
    """

    event_id: str
    topic: str
    partition: int
    ordering_key: str
    sequence: int
    since: int
    due: int
    state: State = "behind"
    tries: int = 0
    doubts: int = 0
    reason: str = ""
    offset: int = -1

    @property
    def rank(self) -> tuple[int, str]:
        """Its place among the mails of its key."""
        return self.sequence, self.event_id

    def put_off(self, policy: RetryPolicy, reason: str, now: int) -> Self | None:
        """The mail after the server put it off. None: it was tried for long enough."""
        pause = policy.pause_after(self.tries + 1)
        if pause is None:
            return None
        return replace(self, state="later", tries=self.tries + 1, reason=reason, due=now + round(pause * 1000))

    def stand_still(self, reason: str, now: int) -> Self:
        """The mail after a server put it off that puts off everybody. The try does not count."""
        return replace(self, state="later", reason=reason, due=now)

    def in_doubt(self, policy: RetryPolicy, reason: str, now: int) -> Self | None:
        """The mail after a try without an answer. None: it is not repeated."""
        pause = policy.doubt_pause_after(self.doubts + 1)
        if pause is None:
            return None
        return replace(self, state="doubt", doubts=self.doubts + 1, reason=reason, due=now + round(pause * 1000))

    def awaiting_answer(self, policy: RetryPolicy, now: int) -> Self:
        """The mail while its answer is outstanding: in doubt, and due when the answer can no longer come.

        After the last repeat `doubts` exceeds the policy's. Such a mail is not repeated when it is due.
        """
        pause = policy.answer_seconds + (policy.doubt_pause_after(self.doubts + 1) or 0.0)
        reason = "the SMTP server has not answered yet"
        return replace(self, state="doubt", doubts=self.doubts + 1, reason=reason, due=now + round(pause * 1000))

    def is_exhausted(self, policy: RetryPolicy) -> bool:
        """True when the mail was in doubt so often that it is not repeated."""
        return self.doubts > len(policy.doubt_pauses)
