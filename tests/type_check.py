"""mypy over everything: `python -m tests.type_check`.

mypy's Django plugin imports the settings of order_service, and they refuse to load without a configuration.
"""

from __future__ import annotations

import os
import subprocess
import sys

from deploy.service_list import SERVICES
from tests.environment import make_environment

PACKAGES = ("libs", "contracts", *SERVICES, "deploy", "bench")


def main() -> int:
    """Run mypy with the environment of a test run; return its exit status."""
    packages = [argument for package in PACKAGES for argument in ("-p", package)]
    environment = os.environ | make_environment()
    return subprocess.run([sys.executable, "-m", "mypy", *packages], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
