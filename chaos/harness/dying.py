"""Runs a service's command with a consumer that raises once a file is there: `python -m chaos.harness.dying FILE SERVICE COMMAND`.

The fault is put in from outside, so that no product code knows of it.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from libs.messaging.consumer import EventConsumer


def main(trigger: Path, package: str, command: str) -> None:
    """Never returns: the command ends the process."""
    step = EventConsumer._step

    def dying_step(self: EventConsumer) -> None:
        if trigger.exists():
            raise RuntimeError("the test wants this thread dead")
        step(self)

    EventConsumer._step = dying_step  # type: ignore[method-assign] # the whole point
    sys.argv = [package, command]
    runpy.run_module(package, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
