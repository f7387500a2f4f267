"""What the tests have measured, shown together at the end of a run."""

from __future__ import annotations

FIGURES: list[str] = []


def note(goal: str, text: str) -> None:
    """Keep one figure of a goal such as R3."""
    FIGURES.append(f"{goal:4} {text}")
