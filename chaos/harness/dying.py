"""Runs a service's command with a consumer that raises once a file is there: `python -m chaos.harness.dying FILE SERVICE COMMAND`.

The fault is put in from outside, so that no product code knows of it.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

from libs.messaging.consumer.group_member import GroupMember


def main(trigger: Path, package: str, command: str) -> None:
    """Never returns: the command ends the process."""
    step = GroupMember._step

    def dying_step(self: GroupMember[Any]) -> None:
        if trigger.exists():
            raise RuntimeError("the test wants this thread dead")
        step(self)

    GroupMember._step = dying_step  # type: ignore[method-assign, assignment] # the whole point
    sys.argv = [package, command]
    runpy.run_module(package, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
