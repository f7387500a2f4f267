"""Percentiles by the nearest rank: always a value that was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """The least value that `percent` of all values do not exceed. Raises ValueError without values."""
    if not values:
        raise ValueError("no values")
    rank = math.ceil(percent / 100 * len(values))
    return sorted(values)[max(0, rank - 1)]
