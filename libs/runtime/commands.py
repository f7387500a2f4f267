"""`python -m SERVICE COMMAND`: the configuration is read first, then the command's own code is imported and run."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import TypeVar

from libs.runtime.config import BaseConfig, load_or_exit
from libs.runtime.health import failure_reason

# Whose errors mean: a server does not answer. By name, for a command imports only what it needs.
DRIVERS = ("pymongo", "mongoengine", "cimpl", "confluent_kafka", "django", "MySQLdb")

S = TypeVar("S", bound=BaseConfig)
Command = Callable[[S, list[str]], int]


def run_command(service: str, settings: type[S], commands: Mapping[str, Command[S]], argv: list[str]) -> int:
    """Run the command that `argv` names with the configuration and the rest of the arguments; return its exit status.

    The first line of each command's docstring is its help. 1 and one line when a server is away.
    Exits 2 on an unknown command, 78 on a bad configuration.
    """
    lines = [f"  {name:<14} {(command.__doc__ or '').strip().splitlines()[0]}" for name, command in commands.items()]
    parser = argparse.ArgumentParser(
        prog=f"python -m {service}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n" + "\n".join(lines),
    )
    parser.add_argument("command", choices=commands, metavar="COMMAND", help="one of those below")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="…", help="the command's own arguments")
    arguments = parser.parse_args(argv)
    config = load_or_exit(settings, service)
    try:
        return commands[arguments.command](config, arguments.rest)
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in DRIVERS:
            raise
        what = failure_reason(error)
        if what == type(error).__name__:
            what = f"a server is away ({what}: {str(error)[:200]})"
        sys.stderr.write(f"{service} {arguments.command}: {what}\n")
        return 1
