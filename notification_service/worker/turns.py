"""Whose turn it is: the events that wait, each with its place among those of its key and of its partition.

Links have the first turn, then the oldest event of all partitions. An event whose key is busy waits for it. Of a partition at
most 64 events are open at a time, so one that is stuck bounds its own partition and no other one.
The class has no lock. Its user holds one for each call.
"""

import heapq
import itertools
from bisect import insort_left, insort_right
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from confluent_kafka import Message

from libs.messaging.envelope import Event, MalformedEvent, parse
from notification_service.events.consumed import UserMailRequested

MAX_OPEN = 64  # events of a partition
MAX_WAITING = 512  # further messages of a partition in memory; then the partition pauses

Place = tuple[str, int]
_number = itertools.count()


@dataclass(eq=False, slots=True)
class Job:
    """An event in flight. `problem`: why it is malformed, or ""."""

    message: Message
    place: Place
    offset: int
    key: bytes
    event: Event | None
    problem: str
    rank: tuple[int, str]
    attempts: int = 0
    failures: int = 0
    outcome: str = ""  # the reason of its dead letter, once it is known
    reason_class: str = "malformed"  # of `outcome`: one of DEAD_REASONS
    error: str = ""  # why the last try failed
    not_before: float = 0.0
    outages: tuple[int, int] = (0, -1)  # see Senders
    done: bool = False
    dropped: bool = False

    @property
    def turn(self) -> tuple[bool, str, int]:
        return self.place[0] != UserMailRequested.topic, self.event.id if self.event else "", next(_number)


def make_job(message: Message) -> Job:
    """The job of a message from Kafka."""
    event, problem = None, ""
    try:
        event = parse(message)
    except MalformedEvent as error:
        problem = str(error)
    place = str(message.topic()), message.partition() or 0
    rank = (event.sequence, event.id) if event else (0, "")
    return Job(message, place, message.offset() or 0, message.key() or b"", event, problem, rank)


@dataclass(eq=False, slots=True)
class _Partition:
    waiting: deque[Message] = field(default_factory=deque)
    jobs: deque[Job] = field(default_factory=deque)  # from the first one that is not done
    open: int = 0
    next_offset: int = -1
    changed: bool = False
    paused: bool = False


class Turns:
    """The events in flight of this member."""

    def __init__(self) -> None:
        self._partitions = dict[Place, _Partition]()
        self._keys, self._busy = dict[bytes, list[Job]](), set[bytes]()
        self._ready, self._later = list[tuple[tuple[bool, str, int], Job]](), list[tuple[float, int, Job]]()

    def assign(self, places: Iterable[Place]) -> None:
        """Begin anew with these partitions."""
        self._partitions = {place: _Partition() for place in places}

    def accept(self, messages: Iterable[Message]) -> None:
        """Take new messages. Those of partitions that this member does not have are ignored."""
        for message in messages:
            if part := self._partitions.get((str(message.topic()), message.partition() or 0)):
                part.waiting.append(message)
                self._open(part)

    def take(self, now: float) -> Job | None:
        """The event whose turn it is. `finish` or `put_back` ends its turn."""
        job = self.peek(now)
        if job:
            heapq.heappop(self._ready)
            self._keys[job.key].pop(0)
            self._busy.add(job.key)
        return job

    def peek(self, now: float) -> Job | None:
        """The event whose turn it is, without taking it."""
        while self._later and self._later[0][0] <= now:
            job = heapq.heappop(self._later)[2]
            if self._is_next(job):
                heapq.heappush(self._ready, (job.turn, job))
        while self._ready:
            job = self._ready[0][1]
            if self._is_next(job) and job.not_before <= now:
                return job
            heapq.heappop(self._ready)
        return None

    def finish(self, job: Job) -> None:
        """The event is done."""
        job.done = True
        self._free(job.key)
        if not job.dropped:
            part = self._partitions[job.place]
            part.open -= 1
            self._open(part)
            while part.jobs and part.jobs[0].done:
                part.next_offset, part.changed = part.jobs.popleft().offset + 1, True

    def put_back(self, job: Job, not_before: float) -> None:
        """The event has another turn, at this time of time.monotonic() or later. Later events of its key wait for it."""
        job.not_before = not_before
        if not job.dropped:
            insort_left(self._keys.setdefault(job.key, []), job, key=_rank)
        self._free(job.key)

    def drop(self) -> None:
        """Drop all events. Those whose turn it is keep their key busy until they end."""
        for part in self._partitions.values():
            for job in part.jobs:
                job.dropped = True
        self._partitions, self._ready, self._later = {}, [], []
        self._keys = {}

    def positions(self) -> dict[Place, int]:
        """The offset to commit of each partition that has moved since the last call."""
        moved = {place: part for place, part in self._partitions.items() if part.changed}
        for part in moved.values():
            part.changed = False
        return {place: part.next_offset for place, part in moved.items()}

    def commit_again(self, places: Iterable[Place]) -> None:
        """Let `positions` return these partitions again, unless they were revoked."""
        for place in places:
            if (part := self._partitions.get(place)) and part.next_offset >= 0:
                part.changed = True

    def oldest(self) -> int | None:
        """The time of the oldest event that is not done, in ms since the epoch."""
        first = [next((job for job in part.jobs if not job.done), None) for part in self._partitions.values()]
        return min((job.message.timestamp()[1] for job in first if job), default=None)

    def to_pause(self) -> list[Place]:
        """The partitions that have to pause now."""
        return self._toggle(lambda part: not part.paused and len(part.waiting) >= MAX_WAITING)

    def to_resume(self) -> list[Place]:
        """The partitions that may go on."""
        return self._toggle(lambda part: part.paused and len(part.waiting) < MAX_WAITING // 4)

    def _toggle(self, is_due: Callable[[_Partition], bool]) -> list[Place]:
        due = {place: part for place, part in self._partitions.items() if is_due(part)}
        for part in due.values():
            part.paused = not part.paused
        return list(due)

    def _open(self, part: _Partition) -> None:
        while part.waiting and part.open < MAX_OPEN:
            job = make_job(part.waiting.popleft())
            part.jobs.append(job)
            part.open += 1
            others = self._keys.setdefault(job.key, [])
            # an event never overtakes one of its key and partition
            job.rank = max([job.rank, *(other.rank for other in others if other.place == job.place)])
            insort_right(others, job, key=_rank)
            if self._is_next(job):
                heapq.heappush(self._ready, (job.turn, job))

    def _is_next(self, job: Job) -> bool:
        first = next(iter(self._keys.get(job.key, ())), None)
        return not job.dropped and first is job and job.key not in self._busy

    def _free(self, key: bytes) -> None:
        self._busy.discard(key)
        if not (jobs := self._keys.get(key)):
            self._keys.pop(key, None)
        elif jobs[0].not_before:
            heapq.heappush(self._later, (jobs[0].not_before, next(_number), jobs[0]))
        else:
            heapq.heappush(self._ready, (jobs[0].turn, jobs[0]))


def _rank(job: Job) -> tuple[int, str]:
    return job.rank
