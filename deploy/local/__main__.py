"""The commands behind the Makefile: `python -m deploy.local COMMAND`."""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from deploy.local import envfile
from deploy.local.demo import demo
from deploy.local.down import reset, stop
from deploy.local.errors import LocalError
from deploy.local.logs import Follower, follow
from deploy.local.progress import say
from deploy.local.stack import Stack
from deploy.local.state import ROOT, State
from deploy.local.status import print_addresses, status
from deploy.local.up import is_up, up

INTERRUPTED = 130


def main() -> int:
    """Run one command. Returns the exit status: 1 with one line on stderr for what a person can put right."""
    arguments = _parse()
    stack = Stack(State(arguments.state.resolve()), arguments.env.resolve())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        COMMANDS[arguments.command](stack)
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("--state", type=Path, default=ROOT / ".local", help="directory for pids, logs and data")
    parser.add_argument("--env", type=Path, default=ROOT / ".env", help="file with the settings")
    parser.add_argument("command", choices=sorted(COMMANDS))
    return parser.parse_args()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _alone(stack: Stack) -> Iterator[None]:
    """Hold the state directory: two starts at once would end each other's servers."""
    stack.state.path.mkdir(parents=True, exist_ok=True)
    with (stack.state.path / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError("another make up, run, down or reset is at work here: let it end first") from None
        yield


def _env(stack: Stack) -> None:
    try:
        envfile.create(stack.env_file)
    except FileExistsError:
        raise LocalError(f"{stack.env_file} is there already, and is left as it is") from None
    say(f"made {stack.env_file} with fresh secrets")


def _up(stack: Stack) -> None:
    with _alone(stack):
        started = up(stack)
    say("The shop is up." if started else "The shop is up already: `make logs` follows it, `make down` stops it.")
    print_addresses(stack)


def _run(stack: Stack) -> None:
    if is_up(stack):
        raise LocalError("the shop is up already: `make logs` follows it, `make down` stops it")
    with _alone(stack):
        up(stack)
    print_addresses(stack)
    say("  Ctrl-C stops everything.\n")
    try:
        with suppress(KeyboardInterrupt), Follower(stack.state, tail=False) as follower:
            follow(follower)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
        with _alone(stack):
            stop(stack)


def _down(stack: Stack) -> None:
    with _alone(stack):
        say("The shop is down." if stop(stack) else "Nothing was running.")


def _reset(stack: Stack) -> None:
    _confirm(f"Delete all data of the shop in {stack.state.data}?")
    with _alone(stack):
        reset(stack)


def _confirm(question: str) -> None:
    """Ask, unless YES=1 says yes beforehand. Raises LocalError for a no, and where nobody can be asked."""
    if os.environ.get("YES") == "1":
        return
    if not sys.stdin.isatty():
        raise LocalError("nothing was deleted: say YES=1 where nobody can be asked")
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise LocalError("nothing was deleted")


def _logs(stack: Stack) -> None:
    with suppress(KeyboardInterrupt), Follower(stack.state, tail=True) as follower:
        follow(follower)


COMMANDS = {
    "env": _env,
    "up": _up,
    "run": _run,
    "down": _down,
    "reset": _reset,
    "status": status,
    "logs": _logs,
    "demo": demo,
}


if __name__ == "__main__":
    sys.exit(main())
