"""How much of a fault a test makes: enough for half an hour in all, or with CHAOS_LONG=1 what the goal names."""

from __future__ import annotations

import os

LONG = os.environ.get("CHAOS_LONG") == "1"


def size(usual: int, goal: int) -> int:
    """Orders, kills or seconds."""
    return goal if LONG else usual
