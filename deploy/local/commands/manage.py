"""`make manage`: run a command of a service with the variables that the service has in this stack."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from deploy.local.errors import LocalError
from deploy.local.services import JOBS, environment
from deploy.local.stack import Stack
from deploy.local.state import ROOT
from deploy.local.supervision.process import base_env
from deploy.service_list import SERVICES

USAGE = 'make manage SERVICE=product_service ARGS="dlq list"'


def manage(stack: Stack, arguments: Sequence[str]) -> NoReturn:
    """Become `python -m SERVICE ARGUMENTS`. Raises LocalError when the first argument names no service.

    The command has this terminal and its own exit status.
    """
    package, *rest = arguments or [""]
    if package not in SERVICES:
        raise LocalError(f"name a service, one of {', '.join(SERVICES)}: {USAGE}")
    command = rest[0] if rest else ""
    values = stack.settings.values
    own = {job.name: job.extra for job in JOBS}.get(f"{package} {command}", ())
    env = environment(package, stack.settings) | {name: values[name] for name in own if name in values}
    stack.state.make()  # the environment names a directory for temporary files
    os.chdir(ROOT)
    os.execvpe(sys.executable, [sys.executable, "-m", package, *rest], base_env(stack.state) | env)
