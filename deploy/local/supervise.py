"""supervisor with a quicker pulse: `python -m deploy.local.supervise CONFIG`.

supervisord looks after its children once a second, and needs two looks to start one again: up to 2 s for that alone.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.poller import Poller
from supervisor.supervisord import Supervisor

PULSE_SECONDS = 0.1


class QuickPoller(Poller):  # type: ignore[misc] # the library has no types
    """Returns from every wait after a tenth of a second: 0.2 % of a core."""

    def poll(self, timeout: float) -> object:
        """Wait for input of the children, `timeout` seconds at most."""
        return super().poll(min(timeout, PULSE_SECONDS))


def main(arguments: list[str]) -> None:
    """Run in the foreground until SIGTERM: the stack itself puts it into the background."""
    options = ServerOptions()
    options.poller = QuickPoller(options)
    options.realize(["-c", arguments[0], "--nodaemon"], doc=__doc__)
    options.first, options.test = True, False
    with suppress(ExitNow):  # how supervisor says that it has stopped everything
        Supervisor(options).main()


if __name__ == "__main__":
    main(sys.argv[1:])
