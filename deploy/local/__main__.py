"""The commands behind the Makefile: `python -m deploy.local COMMAND`."""

import argparse
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy import envfile
from deploy.customers.demo import demo
from deploy.customers.load import load
from deploy.local.commands.down import reset, stop
from deploy.local.commands.manage import manage
from deploy.local.commands.status import print_addresses, status
from deploy.local.commands.up import is_up, up
from deploy.local.console import say
from deploy.local.errors import LocalError
from deploy.local.stack import Stack
from deploy.local.state import ROOT, State
from deploy.observe.follow import follow
from deploy.observe.kafka import show_kafka
from deploy.observe.logs import read_filter, show_logs
from deploy.observe.observers import delete_observed, observe, stop_observing
from deploy.seeding.seed_large import seed_large


def main() -> int:
    """Run one command. Returns the exit status: 1 with one line on stderr for an error that a person can correct."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("--state", type=Path, default=ROOT / ".local", help="directory for pids, logs and data")
    parser.add_argument("--env", type=Path, default=ROOT / ".env", help="file with the settings")
    parser.add_argument("command", choices=sorted((*COMMANDS, *WITH_ARGUMENTS)))
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="…", help="a service and its command, or filters")
    arguments = parser.parse_args()
    if arguments.rest and arguments.command not in WITH_ARGUMENTS:
        parser.error(f"unrecognized arguments: {' '.join(arguments.rest)}")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # raises KeyboardInterrupt
    try:
        stack = Stack(State(arguments.state.resolve()), arguments.env.resolve())
        if arguments.command in WITH_ARGUMENTS:
            WITH_ARGUMENTS[arguments.command](stack, arguments.rest)
        else:
            COMMANDS[arguments.command](stack)
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


@contextmanager
def _alone(stack: Stack) -> Iterator[None]:
    """Lock the state directory: two starts at once would end each other's servers."""
    stack.state.path.mkdir(parents=True, exist_ok=True)
    with (stack.state.path / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError("another make up, run, down or reset is at work here: wait for its end") from None
        yield


def _env(stack: Stack) -> None:
    try:
        envfile.create(stack.env_file)
    except FileExistsError:
        raise LocalError(f"{stack.env_file} exists and is not changed") from None
    say(f"made {stack.env_file} with fresh secrets")


def _up(stack: Stack) -> None:
    with _alone(stack):
        started = up(stack)
    say("The shop is up." if started else "The shop is up already: `make logs` follows it, `make down` stops it.")
    print_addresses(stack)


def _run(stack: Stack) -> None:
    if is_up(stack):
        raise LocalError("the shop is up already: `make logs` follows it, `make down` stops it")
    _up(stack)
    say("  Ctrl-C stops everything.\n")
    try:
        show_logs(stack.state, read_filter([]), tail=False)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the stop
        with _alone(stack):
            stop(stack)


def _down(stack: Stack) -> None:
    with _alone(stack):
        observed = stop_observing(stack)
        say("The shop is down." if stop(stack) or observed else "Nothing was running.")


def _reset(stack: Stack) -> None:
    """Raises LocalError unless a person or YES=1 agrees."""
    if os.environ.get("YES") != "1":
        if not sys.stdin.isatty():
            raise LocalError("nothing was deleted: set YES=1 to delete without a question")
        question = f"Delete all data of the shop in {stack.state.data}? [y/N] "
        if input(question).strip().lower() not in ("y", "yes"):
            raise LocalError("nothing was deleted")
    with _alone(stack):
        delete_observed(stack)
        reset(stack)


def _observe(stack: Stack) -> None:
    with _alone(stack):
        observe(stack)


def _logs(stack: Stack, arguments: Sequence[str]) -> None:
    show_logs(stack.state, read_filter(arguments))


COMMANDS = dict(env=_env, up=_up, run=_run, down=_down, reset=_reset, status=status, demo=demo, observe=_observe)
WITH_ARGUMENTS: dict[str, Callable[[Stack, Sequence[str]], None]] = {
    "manage": manage,
    "logs": _logs,
    "follow": follow,
    "kafka": show_kafka,
    "load": load,
    "seed-large": seed_large,
}


if __name__ == "__main__":
    sys.exit(main())
