"""The variables of a command of the Makefile, as it passes them on: NAME=value."""

from collections.abc import Collection, Sequence

from deploy.local.errors import LocalError


def read_variables(arguments: Sequence[str], names: Collection[str]) -> dict[str, str]:
    """The value of each variable. Raises LocalError for an argument that sets none of these names."""
    found: dict[str, str] = {}
    for argument in arguments:
        name, sign, value = argument.partition("=")
        if not sign or name not in names:
            raise LocalError(f"{argument!r} is unknown: the variables are {', '.join(names)}, each as NAME=value")
        found[name] = value
    return found
