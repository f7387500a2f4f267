"""The keys that wait because an event of theirs failed alone. Its later events wait behind it, in sequence."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from libs.messaging.consumer.queued_event import QueuedEvent


@dataclass(slots=True)
class Held:
    """`jobs`: the event that failed, and those behind it. `due`: when it is tried again, in monotonic seconds."""

    jobs: deque[QueuedEvent]
    due: float
    reason: str


class HeldKeys:
    """Safe for one thread. `status` may be called by others."""

    def __init__(self) -> None:
        self._held: dict[bytes, Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, job: QueuedEvent, due: float, reason: str) -> None:
        """Try the event again at `due`. Its key is held from now on."""
        if held := self._held.get(job.key):
            held.due, held.reason = due, reason
        else:
            self._held[job.key] = Held(deque([job]), due, reason)

    def is_behind(self, job: QueuedEvent) -> bool:
        """Whether an earlier event holds the key of this one."""
        held = self._held.get(job.key)
        return held is not None and held.jobs[0] is not job

    def add(self, job: QueuedEvent) -> None:
        """Let an event wait behind the one that holds its key."""
        self._held[job.key].jobs.append(job)

    def release(self, job: QueuedEvent) -> list[QueuedEvent]:
        """The event that held its key is done. Returns those behind it, in sequence."""
        held = self._held.get(job.key)
        if held is None or held.jobs[0] is not job:
            return []
        del self._held[job.key]
        held.jobs.popleft()
        return list(held.jobs)

    def drop(self) -> list[QueuedEvent]:
        """Leave out the events that were dropped. Returns those that lose the event before them, key by key in sequence."""
        freed: list[QueuedEvent] = []
        for key, held in list(self._held.items()):
            first, left = held.jobs[0], deque(job for job in held.jobs if not job.dropped)
            if first.dropped:
                del self._held[key]
                freed.extend(left)
            else:
                held.jobs = left
        return freed

    def next_due(self) -> float | None:
        """When the next event is due."""
        return min((held.due for held in self._held.values()), default=None)

    def first_due(self, now: float) -> QueuedEvent | None:
        """The event that is due for the longest time."""
        held = min(self._held.values(), key=lambda held: held.due, default=None)
        return held.jobs[0] if held and held.due <= now else None

    def status(self) -> Iterator[dict[str, object]]:
        """The events that hold their keys."""
        for held in list(self._held.values()):
            for job in list(held.jobs)[:1]:
                yield {"reason": held.reason, "attempts": job.attempts}
