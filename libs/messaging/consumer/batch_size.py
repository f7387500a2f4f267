"""How many events a batch thread handles at once: fewer after a conflict or a slow batch, more after quick ones."""

from libs.messaging.consumer.batches import MAX_EVENTS

QUICK_SECONDS, QUICK_BATCHES = 0.5, 10
SLOW_SECONDS = 1.0


class BatchSize:
    """Between 1 and MAX_EVENTS. It starts with the largest."""

    def __init__(self) -> None:
        self.events, self._quick = MAX_EVENTS, 0

    def halve(self) -> None:
        """After a batch that met other writers, or was slow."""
        self.limit_to(self.events // 2)

    def limit_to(self, events: int) -> None:
        """After a batch that was too large: at most so many, and at least one."""
        self.events, self._quick = max(1, min(self.events, events)), 0

    def note(self, seconds: float) -> None:
        """After a batch that took so long. Ten quick ones in a row double the size, and a slow one halves it."""
        if seconds > SLOW_SECONDS:
            self.halve()
        elif seconds >= QUICK_SECONDS:
            self._quick = 0
        else:
            self._quick += 1
            if self._quick >= QUICK_BATCHES:
                self.events, self._quick = min(MAX_EVENTS, self.events * 2), 0
