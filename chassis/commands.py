"""`python -m SERVICE COMMAND`: the configuration is read first, then the command's own code is imported and run."""

import argparse
from collections.abc import Callable, Mapping
from typing import TypeVar

from chassis.env import Settings, load_or_exit

S = TypeVar("S", bound=Settings)
Command = Callable[[S, list[str]], int]


def run_command(service: str, settings: type[S], commands: Mapping[str, Command[S]], argv: list[str]) -> int:
    """Run the command that `argv` names with the configuration and the rest of the arguments; return its exit status.

    The first line of each command's docstring is its help. Exits 2 on an unknown command, 78 on a bad configuration.
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
    return commands[arguments.command](load_or_exit(settings, service), arguments.rest)
