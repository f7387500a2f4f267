"""The garbage collector of a process that runs for long."""

import gc

THRESHOLDS = 10_000, 20, 20
"""Of `gc.set_threshold`. Python's own are 700, 10, 10. docs/adr/0063 has the measurement."""


def keep_loaded() -> None:
    """Leave all objects of now out of later collections. Call it once, when the process has loaded its modules.

    They live as long as the process, so a collection finds nothing among them, and stops all threads while it searches.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
