"""`make down`: end everything in the right order, also after a crash of the supervisor. `make reset`: delete the data too."""

import shutil
import time

from deploy.local.console import say, step
from deploy.local.errors import LocalError
from deploy.local.services import SERVICES
from deploy.local.stack import Stack
from deploy.local.supervision.process import SUPERVISOR, end, find_ours, read_pid

STOP_SECONDS = 120.0
LEFT_OVER_SECONDS = 20.0


def stop(stack: Stack) -> bool:
    """End everything that runs for this state directory. Returns False when nothing ran."""
    state = stack.state
    if not state.run.exists():
        return False
    found = bool(find_ours(state))
    state.ready.unlink(missing_ok=True)
    if found:
        with step("stopping"):
            # The supervisor ends the services, then the servers. It kills a process that exceeds its time.
            pid = read_pid(state, SUPERVISOR)
            end(state, [pid] if pid else [], STOP_SECONDS)
            clear_left_overs(stack)
    shutil.rmtree(state.run)
    return found


def clear_left_overs(stack: Stack) -> None:
    """End what a killed supervisor has left: first the services, which need the servers until their end."""
    state = stack.state
    services = [read_pid(state, service.name) for service in SERVICES]
    end(state, [pid for pid in services if pid is not None], LEFT_OVER_SECONDS)
    end(state, find_ours(state), LEFT_OVER_SECONDS)
    if left := find_ours(state):
        raise LocalError(f"these processes do not end: {', '.join(map(str, left))}")


def reset(stack: Stack) -> None:
    """Stop everything and delete the data. Downloads, logs and .env stay."""
    stop(stack)
    started = time.monotonic()
    shutil.rmtree(stack.state.data, ignore_errors=True)
    say(f"  deleted {stack.state.data} ({time.monotonic() - started:.1f} s)")
