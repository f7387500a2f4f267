"""`make down`: everything ended in the right order, also after a crash of the supervisor; and `make reset`."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from deploy.local import supervisor
from deploy.local.errors import LocalError
from deploy.local.identity import end, find_ours, read_pid
from deploy.local.progress import say, step
from deploy.local.services import SERVICES
from deploy.local.stack import Stack
from deploy.local.state import State

STOP_SECONDS = 120.0
LEFT_OVER_SECONDS = 20.0


def ready_mark(stack: Stack) -> Path:
    """There from the end of an `up` to the next stop."""
    return stack.state.run / "ready"


def stop(stack: Stack) -> bool:
    """End everything that runs for this state directory; False when nothing did."""
    state = stack.state
    if not state.run.exists():
        return False
    found = bool(find_ours(state))
    ready_mark(stack).unlink(missing_ok=True)
    if found:
        with step("stopping"):
            _end_supervisor(state)
            clear_left_overs(stack)
    shutil.rmtree(state.run)
    return found


def _end_supervisor(state: State) -> None:
    """The supervisor ends the services, then the servers, and kills what takes longer than it may."""
    pid = read_pid(state, supervisor.NAME)
    if pid is not None:
        end(state, [pid], STOP_SECONDS)


def clear_left_overs(stack: Stack) -> None:
    """End what a killed supervisor left behind: the services first, so that their servers are there to the last."""
    state = stack.state
    services = [read_pid(state, service.name) for service in SERVICES]
    end(state, [pid for pid in services if pid is not None], LEFT_OVER_SECONDS)
    end(state, find_ours(state), LEFT_OVER_SECONDS)
    left = find_ours(state)
    if left:
        raise LocalError(f"these processes do not end: {', '.join(map(str, left))}")


def reset(stack: Stack) -> None:
    """Stop everything and delete the data; downloads, logs and .env stay."""
    stop(stack)
    started = time.monotonic()
    shutil.rmtree(stack.state.data, ignore_errors=True)
    say(f"  deleted {stack.state.data} ({time.monotonic() - started:.1f} s)")
