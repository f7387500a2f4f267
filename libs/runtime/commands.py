"""`python -m SERVICE COMMAND`: reads the configuration, then imports and runs the command's own code."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import TypeVar

from libs.runtime.config import BaseConfig, load_or_exit
from libs.runtime.health import failure_reason

# Errors of these modules mean that a server does not answer. They are names, because a command imports only what it needs.
DRIVERS = ("pymongo", "mongoengine", "cimpl", "confluent_kafka", "django", "MySQLdb")

S = TypeVar("S", bound=BaseConfig)
Command = Callable[[S, list[str]], int]


def run_command(service: str, settings: type[S], commands: Mapping[str, Command[S]], argv: list[str]) -> int:
    """Run the command that `argv` names with the configuration and the rest of the arguments; return its exit status.

    The first line of a command's docstring is its help text. An unavailable server gives one line on stderr and status 1.
    Exits with 2 for an unknown command, 78 for a bad configuration.
    """
    lines = [f"  {name:<14} {(command.__doc__ or '').strip().splitlines()[0]}" for name, command in commands.items()]
    parser = argparse.ArgumentParser(
        prog=f"python -m {service}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n" + "\n".join(lines),
    )
    parser.add_argument("command", choices=commands, metavar="COMMAND", help="one of the commands below")
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
            what = f"server unavailable ({what}: {str(error)[:200]})"
        sys.stderr.write(f"{service} {arguments.command}: {what}\n")
        return 1
