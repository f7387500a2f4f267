"""The figures of the batches of a consumer, since the start of the process: part of its status."""

from bisect import bisect_left
from collections.abc import Sequence

SIZES = (1, 2, 5, 10, 20, 50, 100)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)


class Distribution:
    """A histogram with these upper bounds."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds, self._counts, self._sum = bounds, [0] * (len(bounds) + 1), 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def status(self) -> dict[str, object]:
        """`buckets`: [upper bound, how many values are not above it] each. `count` and `sum` are of all values."""
        counts, total = list(self._counts), 0
        buckets: list[list[float]] = []
        for bound, count in zip(self._bounds, counts, strict=False):
            total += count
            buckets.append([bound, total])
        return {"buckets": buckets, "count": sum(counts), "sum": round(self._sum, 6)}


class BatchMetrics:
    """Written by the batch thread, read by others."""

    def __init__(self) -> None:
        self.sizes, self.seconds = Distribution(SIZES), Distribution(SECONDS)
        self.halvings = self.conflicts = self.limits = 0

    def observe(self, events: int, seconds: float) -> None:
        """A batch was handled."""
        self.sizes.observe(events)
        self.seconds.observe(seconds)

    def status(self) -> dict[str, object]:
        """The figures by name."""
        return {
            "batchSize": self.sizes.status(),
            "batchSeconds": self.seconds.status(),
            "halvings": self.halvings,
            "conflicts": self.conflicts,
            "limits": self.limits,
        }
